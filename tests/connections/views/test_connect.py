"""A connect link as the one who gets it sees it: no account, no session, one connection."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, TestCase
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection, ConnectLink, Credential, Draft, Verification
from connections.services.verification import run_verification
from tenants import access
from tenants.models import Organization
from tests.connections.views.conftest import Visit
from tests.connections.views.test_consent import decide
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox
from tests.worlds import snapshot_of

pytestmark = pytest.mark.django_db

Url = Callable[..., str]
ENTER = "/connect/enter/access_token/"


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


class Visitor(Client):
    """Somebody who is nobody here. What a visit dispatched runs before the next page."""

    def request(self, **request: Any) -> Any:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return super().request(**request)


@pytest.fixture
def visitor() -> Client:
    return Visitor()


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
    done = visitor.get(back["Location"], follow=True)

    assert back["Location"] == "/connect/verify/"
    assert done.redirect_chain == [("/connect/done/", 302)]
    assert "Done" in text(done)
    assert "Read pull requests" in text(done)  # the checks, which passed
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

    refused = visitor.post(ENTER, {"api_token": lacking}, follow=True)
    assert "lacks the scope pipeline" in text(refused)
    assert "Continue without pipelines" in text(refused)
    assert lacking not in refused.content.decode()
    assert not Credential.objects.exists()
    token = {"api_token": sandbox.tokens.workspace("acme")}
    done = visitor.post(ENTER, token, follow=True)

    assert done.redirect_chain[-1] == ("/connect/done/", 302)
    assert Credential.objects.count() == 1
    assert "connect-link" not in {name for name, one in visitor.cookies.items() if one.value}


def test_only_a_streams_check_fails_and_it_is_handed_over_without(
    visitor: Client, address: str, sandbox: Sandbox, pending: Connection
) -> None:
    visitor.get(address)
    lacking = sandbox.tokens.workspace("acme", ["account", "repository", "pullrequest"])
    visitor.post(ENTER, {"api_token": lacking})

    done = visitor.post("/connect/verify/", {"without": "1"}, follow=True)

    assert done.redirect_chain == [("/connect/done/", 302)]
    pending.refresh_from_db()
    assert pending.status == "available"
    assert "pipelines" not in pending.selection["streams"]


def test_checks_fill_while_they_run_and_lead_to_done(
    address: str,
    sandbox: Sandbox,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
) -> None:
    visitor = Client()
    visitor.get(address)
    with django_capture_on_commit_callbacks() as waiting:
        visitor.post(ENTER, {"api_token": sandbox.tokens.workspace("acme")})

    page = visitor.get("/connect/verify/")
    assert "Asking Bitbucket" in text(page)
    assert 'hx-get="/connect/verify/live/"' in page.content.decode()
    with access.enter(organization):  # the checks have ended, and nothing is stored yet
        run_verification(Verification.objects.get())
    live = visitor.get("/connect/verify/live/", headers={"HX-Request": "true"})
    assert "It is handed over now." in text(live)
    assert 'hx-get="/connect/verify/live/"' in live.content.decode()
    for run in waiting:
        run()
    done = visitor.get("/connect/verify/live/", headers={"HX-Request": "true"})

    assert done["HX-Redirect"] == "/connect/done/"


def test_another_browser_with_the_link_sees_nothing_of_what_was_entered(
    visitor: Client, address: str, sandbox: Sandbox
) -> None:
    other = Client()
    other.get(address)
    visitor.get(address)
    lacking = sandbox.tokens.workspace("acme", ["account", "repository", "pullrequest"])
    visitor.post(ENTER, {"api_token": lacking})

    assert other.get("/connect/verify/")["Location"] == "/connect/"
    assert other.post("/connect/verify/", {"without": "1"})["Location"] == "/connect/"
    assert not Credential.objects.exists()


def test_what_passes_with_time_is_asked_again_without_typing(
    visitor: Client, address: str, sandbox: Sandbox
) -> None:
    visitor.get(address)
    sandbox.faults.add(status=500)
    told = visitor.post(ENTER, {"api_token": sandbox.tokens.workspace("acme")}, follow=True)
    assert "Check again" in text(told)
    sandbox.faults.clear()

    done = visitor.post("/connect/verify/", follow=True)

    assert done.redirect_chain[-1] == ("/connect/done/", 302)


def test_a_token_of_another_workspace_is_told_which_it_must_be(
    visitor: Client, address: str, sandbox: Sandbox
) -> None:
    visitor.get(address)

    told = visitor.post(ENTER, {"api_token": sandbox.tokens.workspace("globex")}, follow=True)

    assert "It has to be for the workspace acme ." in text(told)
    assert Draft.objects.get().secrets is None
    assert "Check again" not in text(told)


def test_where_nobody_named_a_workspace_the_visitor_chooses_it(
    visitor: Client, address: str, consumer: tuple[str, str], pending: Connection
) -> None:
    Connection.objects.update(settings={})
    visitor.get(address)
    assert "a Bitbucket workspace" in text(visitor.get("/connect/"))
    begun = visitor.post("/connect/consent/")
    back = decide(begun["Location"], persona="ada", workspace=["acme", "globex"])
    other = Client()
    other.get(address)

    page = visitor.get(back, follow=True)
    assert page.redirect_chain == [("/connect/workspace/", 302)]
    assert "Ada Admin" in text(page)
    assert other.get("/connect/workspace/")["Location"] == "/connect/"
    nonsense = visitor.post("/connect/workspace/", {"workspace": "initech"})
    assert (nonsense.status_code, "Choose one" in text(nonsense)) == (422, True)
    done = visitor.post("/connect/workspace/", {"workspace": "globex"}, follow=True)

    assert done.redirect_chain[-1] == ("/connect/done/", 302)
    pending.refresh_from_db()
    assert pending.settings == {"workspace": "globex"}


def test_a_form_asks_for_the_workspace_that_nobody_named(
    visitor: Client, address: str, sandbox: Sandbox, pending: Connection
) -> None:
    Connection.objects.update(settings={})
    visitor.get(address)
    silent = {"api_token": sandbox.tokens.repository("acme", "api"), "repository": "api"}

    asked = visitor.post(ENTER, silent)
    assert asked.status_code == 422
    assert "workspace" in asked.context["form"].errors
    done = visitor.post(ENTER, {**silent, "workspace": "acme"}, follow=True)

    assert done.redirect_chain[-1] == ("/connect/done/", 302)


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


@pytest.mark.parametrize(
    "path", ["/connect/", ENTER, "/connect/verify/", "/connect/verify/live/", "/connect/workspace/"]
)
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
