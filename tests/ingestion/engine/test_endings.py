"""Endpoints that Bitbucket removes, or announces to: what a sync keeps, and what pages say."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from connections.services.verification import verify_credential
from ingestion.models import State, StreamRun
from tests.factories import MembershipFactory
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.views.conftest import text_of
from tests.sandbox import Sandbox

PIPELINES = "/repositories/{workspace}/{repository}/pipelines"
SUNSET = {
    "Sunset": "Sun, 31 Jan 2077 23:59:59 GMT",
    "Link": '<https://x.example/why>; rel="sunset"',
}


def told(connection: Connection) -> list[tuple[Any, ...]]:
    """What the connection keeps, shortly."""
    connection.refresh_from_db()
    return [(one["path"], one["on"], one["change"], one["is_over"]) for one in connection.removals]


@pytest.fixture
def pages(copied: Copied) -> tuple[str, ...]:
    """The overview and the connection's page, as text, one after the other."""
    browser, organization = Client(), copied.connection.organization
    browser.force_login(MembershipFactory.create(organization=organization).user)
    slug, pk = organization.slug, copied.connection.pk
    addresses = [
        reverse("ingestion:overview", args=[slug]),
        reverse("ingestion:connection", args=[slug, pk]),
    ]

    class Pages(tuple[str, ...]):
        def __iter__(self) -> Any:
            return (text_of(browser.get(address)) for address in addresses)

    return Pages()


def test_an_endpoint_removed_during_a_sync_is_named_with_its_day_and_streams(
    copied: Copied, sandbox: Sandbox, pages: tuple[str, ...]
) -> None:
    sandbox.faults.add(r"/pipelines\?", kind="410")

    sync = copied.choose("pipelines", "pull_requests").sync()

    assert told(copied.connection) == [(PIPELINES, "2026-04-14", "CHANGE-2770", True)]
    assert StreamRun.objects.get(sync=sync, stream="pipelines", repository=None).error
    for page in pages:
        assert "Bitbucket removed on 14 Apr 2026 what is needed for pipelines" in page
        assert f"GET {PIPELINES}" in page
        assert "Nothing new is read of pipelines. What was synced stays." in page
        assert "CHANGE-2770" in page


def test_an_announcement_stands_on_the_pages_until_the_endpoint_answers_without_it(
    copied: Copied, sandbox: Sandbox, pages: tuple[str, ...]
) -> None:
    sandbox.faults.add(r"/pipelines\?", headers=SUNSET)
    sync = copied.choose("pipelines", "pull_requests").sync()

    assert sync.state == State.SUCCEEDED
    assert told(copied.connection) == [(PIPELINES, "2077-01-31", "", False)]
    for page in pages:
        assert "Bitbucket removes on 31 Jan 2077 what is needed for pipelines" in page
        assert "Before 31 Jan 2077 nothing changes." in page
        assert "https://x.example/why" in page

    sandbox.faults.clear()
    copied.sync()

    assert told(copied.connection) == []
    for page in pages:
        assert "31 Jan 2077" not in page


def test_what_is_not_synced_any_more_is_not_told(
    copied: Copied, sandbox: Sandbox, pages: tuple[str, ...]
) -> None:
    sandbox.faults.add(r"/pipelines\?", kind="410")
    copied.choose("pipelines", "pull_requests").sync()

    copied.choose("pull_requests")

    for page in pages:
        assert "Bitbucket removed" not in page


def test_a_removed_endpoint_speaks_against_no_secret(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/pipelines\?", kind="410")

    verification = verify_credential(credential=copied.credential)

    copied.connection.refresh_from_db()
    copied.credential.refresh_from_db()
    assert verification.outcome == "unexpected_response"
    assert (copied.credential.status, copied.connection.status) == ("active", "available")
    assert copied.connection.failures == 0
    assert told(copied.connection) == [(PIPELINES, "2026-04-14", "CHANGE-2770", True)]

    sandbox.faults.clear()
    verify_credential(credential=copied.credential)

    assert told(copied.connection) == []
