"""A connect link as the one who gets it sees it: no account, no session, one connection."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection, ConnectLink, Credential, Draft
from tenants.models import Organization
from tests.connections.views.conftest import Visit
from tests.connections.views.test_consent import decide
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox
from tests.worlds import snapshot_of

pytestmark = pytest.mark.django_db

Url = Callable[..., str]


@pytest.fixture
def pending(organization: Organization, sandbox: Sandbox) -> Connection:
    return ConnectionFactory.create(
        organization=organization, name="Engineering", status="pending", identity=""
    )


@pytest.fixture
def address(post: Visit, member: Client, url: Url, pending: Connection) -> str:
    """What an admin was shown, once, and sent."""
    made = post(url("link_create", pending.pk))
    page = member.get(made["Location"])
    assert page["Cache-Control"] == "no-store"
    assert member.get(made["Location"]).status_code == 302  # shown once
    found = re.search(r"http://[^/]+(/connect/[\w-]+)", page.content.decode())
    assert found is not None
    return found.group(1)


@pytest.fixture
def visitor() -> Client:
    """Somebody who is nobody here."""
    return Client()


def test_who_follows_it_reads_who_asks_for_what_and_changes_nothing(
    visitor: Client, address: str, organization: Organization, owner: Any
) -> None:
    before = snapshot_of(organization)

    followed = visitor.get(address)
    page = visitor.get(followed["Location"])

    said = text(page)
    assert followed["Location"] == "/connect/"
    for part in (organization.name, str(owner), "acme", "Engineering", "Pull requests"):
        assert part in said
    assert snapshot_of(organization) == before
    assert "sessionid" not in visitor.cookies
    assert visitor.get("/connect/enter/access_token/").status_code == 200
    assert snapshot_of(organization) == before


def test_by_consent_to_done(
    visitor: Client, address: str, consumer: tuple[str, str], url: Url, pending: Connection
) -> None:
    visitor.get(address)

    begun = visitor.post("/connect/consent/")
    back = visitor.get(decide(begun["Location"], persona="ada", workspace=["acme"]))
    done = visitor.get(back["Location"])

    assert back["Location"] == "/connect/done/"
    assert "Done" in text(done)
    pending.refresh_from_db()
    assert pending.status == "available"
    assert "sessionid" not in visitor.cookies
    assert visitor.get(address).status_code == 410
    assert visitor.get("/connect/").status_code == 410
    assert visitor.get(url("credentials", pending.pk)).status_code == 302  # to sign in


def test_by_token_to_done(
    visitor: Client, address: str, sandbox: Sandbox, pending: Connection
) -> None:
    visitor.get(address)
    lacking = sandbox.tokens.workspace("acme", ["account", "repository", "pullrequest"])

    refused = visitor.post("/connect/enter/access_token/", {"api_token": lacking})
    assert refused.status_code == 422
    assert "lacks the scope pipeline" in text(refused)
    assert lacking not in refused.content.decode()
    assert not Credential.objects.exists()
    done = visitor.post(
        "/connect/enter/access_token/", {"api_token": sandbox.tokens.workspace("acme")}
    )

    assert done["Location"] == "/connect/done/"
    assert Credential.objects.count() == 1


def test_a_wrong_account_is_told_which_workspace_it_must_be(
    visitor: Client, address: str, consumer: tuple[str, str]
) -> None:
    visitor.get(address)
    begun = visitor.post("/connect/consent/")

    back = decide(begun["Location"], persona="ben", workspace=["globex"])
    page = visitor.get(back, follow=True)

    assert "not given for acme" in text(page)
    assert ConnectLink.objects.get().is_open


def test_who_cancels_reads_so_and_may_begin_again(
    visitor: Client, address: str, consumer: tuple[str, str]
) -> None:
    visitor.get(address)
    begun = visitor.post("/connect/consent/")

    back = decide(begun["Location"], persona="ada", decision="cancel")
    page = visitor.get(back, follow=True)

    assert "You chose not to allow it" in text(page)
    assert ConnectLink.objects.get().is_open
    assert visitor.get(back).status_code == 302  # taken once: on to the page that says so


def test_another_browser_cannot_take_the_answer(
    visitor: Client, address: str, consumer: tuple[str, str]
) -> None:
    visitor.get(address)
    begun = visitor.post("/connect/consent/")
    back = decide(begun["Location"], persona="ada", workspace=["acme"])
    other = Client()

    assert other.get(back).status_code == 410
    other.get(address)
    said = text(other.get(back, follow=True))

    assert "another browser" in said
    assert not Credential.objects.exists()


@pytest.mark.parametrize("path", ["/connect/", "/connect/enter/access_token/"])
def test_without_the_link_there_is_nothing(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 410
    visitor.cookies["connect-link"] = "made up"
    assert visitor.get(path).status_code == 410
    assert visitor.post("/connect/consent/").status_code == 410


@pytest.mark.parametrize("token", ["x", "%00", "x" * 3000])
def test_a_made_up_link_is_none(visitor: Client, db: None, token: str) -> None:
    assert visitor.get(f"/connect/{token}").status_code == 404


def test_members_see_the_links_and_revoke_them(
    member: Client,
    post: Visit,
    url: Url,
    address: str,
    pending: Connection,
    visitor: Client,
) -> None:
    visitor.get(address)
    page = text(member.get(url("connection_finish", pending.pk)))
    assert "open until" in page

    post(url("link_revoke", pending.pk, ConnectLink.objects.get().pk))

    assert visitor.get("/connect/").status_code == 410
    assert "withdrawn" in text(visitor.get(address))
    assert "open until" not in text(member.get(url("connection_finish", pending.pk)))


def test_who_comes_second_reads_who_finished_it(
    member: Client,
    post: Visit,
    url: Url,
    address: str,
    visitor: Client,
    pending: Connection,
    organization: Organization,
    sandbox: Sandbox,
) -> None:
    post(url("connection_finish", pending.pk))
    draft = Draft.objects.get()
    token = {"api_token": sandbox.tokens.workspace("acme")}
    post(url("wizard_enter", draft.public_id, "access_token"), **token)
    Draft.objects.update(created_at=now() - timedelta(minutes=5))
    visitor.get(address)
    visitor.post("/connect/enter/access_token/", token)

    form = {"name": "Engineering", "streams": ["repositories"], "mode": "all", "schedule": "60"}
    where = reverse("ingestion:wizard_choose", args=(organization.slug, draft.public_id))
    late = member.post(where, form, follow=True)
    finish = text(member.get(url("connection_finish", pending.pk)))

    assert "(by a connect link) has finished this connection already" in text(late)
    assert "(by a connect link) finished this connection" in finish
    assert Credential.objects.count() == 1
