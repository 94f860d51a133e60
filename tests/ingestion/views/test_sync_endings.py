"""The page of a sync that has ended: what it read, what failed, the way out."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import State
from tests.factories import (
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import REFUSED, Address, heading, text_of


@pytest.mark.parametrize(
    ("state", "values", "sentence"),
    [
        (State.QUEUED, {"started_at": None}, "About to start"),
        (State.SUCCEEDED, {"counts": {"created": 3, "updated": 1}}, "Complete: 4 records new or"),
        (State.SUCCEEDED, {"counts": {"read": 9}}, "Complete: nothing had changed"),
        (State.FAILED, {"error": REFUSED}, "Failed: The token lacks the scope pipeline."),
        (State.FAILED, {"error": None}, "Failed: It ended without a reason being noted."),
        (State.CANCELLED, {}, "Stopped. What was read until then stays"),
        (State.WAITING, {"reason": "turn"}, "Waiting: other syncs go first for a moment"),
    ],
)
def test_each_state_has_its_sentence(
    member: Client,
    url: Address,
    connection: Connection,
    state: State,
    values: dict[str, Any],
    sentence: str,
) -> None:
    sync = SyncFactory.create(connection=connection, state=state, **values)

    assert heading(text_of(member.get(url("sync", sync.pk)))).startswith(sentence)


def test_an_incomplete_sync_names_what_failed(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL, error=REFUSED)
    StreamRunFactory.create(sync=sync, stream="pull_requests", state=State.PARTIAL, total=100)
    vault = RepositoryFactory.create(connection=connection, name="vault")
    for stream in ("pull_requests", "repositories"):
        StreamRunFactory.create(
            sync=sync, stream=stream, repository=vault, state=State.FAILED, error=REFUSED
        )
    StreamRunFactory.create(
        sync=sync, repository=RepositoryFactory.create(connection=connection, name="fine")
    )

    page = text_of(member.get(url("sync", sync.pk)))

    assert heading(page) == "Incomplete: 1 of 100 repositories could not be read"
    assert "◑</span>Incomplete: 1 of 100" in page
    assert "acme/vault" in page
    assert "acme/fine" not in page
    assert page.count("The token lacks the scope pipeline.") == 2
    assert "99 of 100" in page


def test_an_old_sync_says_that_its_details_are_not_kept(
    member: Client, url: Address, connection: Connection, settings: Any
) -> None:
    old = now() - timedelta(days=settings.SYNC_DETAILS_KEPT, minutes=1)
    sync = SyncFactory.create(
        connection=connection, state=State.PARTIAL, error=REFUSED, finished_at=old
    )
    StreamRunFactory.create(sync=sync, stream="pull_requests", state=State.PARTIAL, total=100)
    young = SyncFactory.create(connection=connection, state=State.SUCCEEDED)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "was kept for 90 days; these are its sums" in page
    assert heading(page) == "Incomplete: 1 of 1 stream could not be read"
    assert "these are its sums" not in text_of(member.get(url("sync", young.pk)))


def test_one_cause_in_several_repositories_is_told_once(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL, error=REFUSED)
    StreamRunFactory.create(sync=sync, state=State.PARTIAL, error=REFUSED, total=5)
    names = ("api", "web", "vault")
    for name in names:
        repository = RepositoryFactory.create(connection=connection, name=name)
        error = {**REFUSED, "message": "Gone."} if name == "vault" else REFUSED
        StreamRunFactory.create(sync=sync, repository=repository, state=State.FAILED, error=error)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "<strong>2 repositories</strong> · Pull requests" in page
    assert "acme/api, acme/web." in page
    assert page.count("The token lacks the scope pipeline.") == 1
    assert "<strong>acme/vault</strong> · Pull requests" in page


@pytest.mark.parametrize("alone", [0, 1])
def test_streams_are_counted_where_one_failed_as_a_whole(
    member: Client, url: Address, connection: Connection, alone: int
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL, error=REFUSED)
    StreamRunFactory.create(sync=sync, stream="repositories")
    partly = {"state": State.PARTIAL, "error": REFUSED} if alone else {}
    StreamRunFactory.create(sync=sync, stream="pull_requests", total=3, **partly)
    StreamRunFactory.create(sync=sync, stream="pipelines", state=State.FAILED, error=REFUSED)
    for repository in RepositoryFactory.create_batch(alone, connection=connection):
        values = {"repository": repository, "state": State.FAILED, "error": REFUSED}
        StreamRunFactory.create(sync=sync, stream="pull_requests", **values)

    page = text_of(member.get(url("sync", sync.pk)))

    assert heading(page) == f"Incomplete: {1 + alone} of 3 streams could not be read"
    assert f"<dt>streams without an error</dt> <dd>{2 - alone} of 3</dd>" in page


def test_a_failed_sync_has_the_way_out_of_its_problem(
    member: Client, viewer: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.FAILED, error=REFUSED)
    credential = connection.credentials.get()
    where = (connection.organization.slug, connection.pk, credential.pk)
    rotate = reverse("connections:credential_rotate", args=where)

    page = text_of(member.get(url("sync", sync.pk)))
    read_only = text_of(viewer.get(url("sync", sync.pk)))

    assert f'<a class="btn btn-primary" href="{rotate}">Rotate the credential</a>' in page
    assert "Waiting does not help." in page
    assert "Rotate the credential" not in read_only
    assert "An admin can mend it: " in read_only


def test_a_sync_that_failed_for_a_while_needs_no_button(
    member: Client, url: Address, connection: Connection
) -> None:
    error = {"code": "unreachable", "message": "No answer.", "retryable": True, "mended_by": "time"}
    sync = SyncFactory.create(connection=connection, state=State.FAILED, error=error)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "Waiting can help: the next sync tries again." in page
    assert "See the connection" not in page
    assert "Rotate" not in page


def test_a_finished_sync_says_what_it_saved(
    member: Client, url: Address, connection: Connection
) -> None:
    streams = ["repositories", "pull_requests", "pull_request_activity", "pull_request_comments"]
    sync = SyncFactory.create(connection=connection, requests=690, streams=streams)
    StreamRunFactory.create(sync=sync, stream="repositories", requests=10)
    StreamRunFactory.create(sync=sync, stream="pull_requests", requests=90, read=4000)
    StreamRunFactory.create(sync=sync, stream="pull_request_activity", requests=290)
    StreamRunFactory.create(sync=sync, stream="pull_request_comments", requests=300)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "Asked Bitbucket 690 times; one request per pull request would have been 8,100." in page


def test_a_sync_that_saved_nothing_boasts_of_nothing(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, requests=10)
    StreamRunFactory.create(sync=sync, requests=10, read=500)

    assert "Asked Bitbucket" not in text_of(member.get(url("sync", sync.pk)))


def test_a_stopped_sync_neither_boasts_nor_seems_to_go_on(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.CANCELLED, requests=10)
    details = {"sync": sync, "state": State.CANCELLED, "total": 8, "requests": 5}
    StreamRunFactory.create(sync=sync, state=State.CANCELLED, stream="pull_requests", read=500)
    StreamRunFactory.create(**details, stream="pull_request_activity")

    page = text_of(member.get(url("sync", sync.pk)))

    assert "Asked Bitbucket" not in page
    assert "under way" not in page
