"""Connecting in the browser, up to the choice of what to sync."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from connections.models import SILENCE, Connection, Credential, Draft, Verification
from tenants.models import Organization
from tenants.roles import Role
from tests.connections.views.conftest import Visit
from tests.factories import ConnectionFactory, MembershipFactory, UserFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

Url = Callable[..., str]


def text(answer: Any) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def enter(post: Visit, url: Url, token: str, **more: str) -> Any:
    values = {"workspace": "acme", "api_token": token, **more}
    return post(url("wizard_enter", "bitbucket_cloud", "access_token"), **values)


def test_what_and_how_lead_to_a_form(member: Client, url: Url, sandbox: Sandbox) -> None:
    what = member.get(url("wizard_what"))
    how = member.get(url("wizard_how", "bitbucket_cloud"))
    form = member.get(url("wizard_enter", "bitbucket_cloud", "api_token"))

    assert url("wizard_how", "bitbucket_cloud") in what.content.decode()
    assert url("wizard_enter", "bitbucket_cloud", "api_token") in how.content.decode()
    assert "read:pullrequest:bitbucket" in text(form)
    assert "id.atlassian.com" in form.content.decode()
    assert "Make one at Atlassian" in text(form)
    tokens = text(member.get(url("wizard_enter", "bitbucket_cloud", "access_token")))
    assert "How to make one" in tokens
    assert "Make one at Atlassian" not in tokens  # of a workspace that nobody named yet
    assert not Draft.objects.exists()


def test_a_good_token_passes_and_leads_on(
    member: Client, post: Visit, url: Url, token: str, draft_of: Callable[[], Draft]
) -> None:
    entered = enter(post, url, token)
    page = member.get(entered["Location"])

    draft = draft_of()
    assert entered["Location"] == url("wizard_verify", draft.public_id)
    assert "checks pass" in text(page)
    assert "Choose what to sync" in text(page)
    assert token not in page.content.decode()
    assert not Connection.objects.exists()
    assert not Credential.objects.exists()


def test_while_checks_run_the_page_asks_again(
    member: Client, url: Url, token: str, draft_of: Callable[[], Draft]
) -> None:
    values = {"workspace": "acme", "api_token": token}
    entered = member.post(url("wizard_enter", "bitbucket_cloud", "access_token"), values)
    page = member.get(entered["Location"]).content.decode()

    live = url("wizard_verify_live", draft_of().public_id)
    assert f'hx-get="{live}"' in page
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh"', page)
    part = member.get(live).content.decode()
    assert "<html" not in part
    assert f'hx-get="{live}"' in part


def test_checks_that_were_lost_can_be_asked_for_again(
    member: Client, post: Visit, url: Url, token: str, draft_of: Callable[[], Draft]
) -> None:
    values = {"workspace": "acme", "api_token": token}
    page = member.post(url("wizard_enter", "bitbucket_cloud", "access_token"), values)["Location"]
    assert "Check again" not in text(member.get(page))
    Verification.objects.update(started_at=now() - SILENCE)

    lost = member.get(page)
    again = post(page)

    assert "The check has stopped" in text(lost)
    assert "Check again" in text(lost)
    live = url("wizard_verify_live", draft_of().public_id)
    assert f'hx-get="{live}" hx-trigger="every 5s"' in lost.content.decode()
    assert "checks pass" in text(member.get(again["Location"]))


def test_a_missing_scope_is_named_and_can_be_gone_without(
    member: Client, post: Visit, url: Url, sandbox: Sandbox, draft_of: Callable[[], Draft]
) -> None:
    token = sandbox.tokens.workspace("acme", scopes=["account", "repository", "pullrequest"])
    entered = enter(post, url, token)

    page = member.get(entered["Location"])
    gone_on = post(url("wizard_leave_out", draft_of().public_id))

    assert "pipeline" in text(page)
    assert "Make a token that has what is missing, or go on without it." in text(page)
    assert "Continue without pipelines" in text(page)
    assert "curl" in text(page)
    assert token not in page.content.decode()
    assert "pipelines" in draft_of().left_out
    assert gone_on["Location"].endswith("/what-to-sync/")


def test_without_a_required_check_nobody_goes_on(
    member: Client, post: Visit, url: Url, draft_of: Callable[[], Draft], sandbox: Sandbox
) -> None:
    entered = enter(post, url, "ATCTTwrong")

    page = member.get(entered["Location"])
    gone_on = post(url("wizard_leave_out", draft_of().public_id))

    assert "Continue without" not in text(page)
    assert "Choose what to sync" not in text(page)
    assert "Enter another token" in text(page)
    assert gone_on["Location"] == entered["Location"]


def test_back_keeps_what_was_typed_but_shows_no_secret(
    member: Client, post: Visit, url: Url, token: str, draft_of: Callable[[], Draft]
) -> None:
    enter(post, url, token)
    draft = draft_of()
    address = url("wizard_enter", draft.public_id, "access_token")

    page = member.get(address).content.decode()
    again = post(address, workspace="acme", api_token="")

    assert 'value="acme"' in page
    assert 'href="https://bitbucket.org/acme/workspace/settings/access-tokens"' in page
    assert "kept, type to replace" in page
    assert token not in page
    assert again.status_code == 302
    assert dict(draft_of().secrets) == {"api_token": token}


def test_a_form_says_what_does_not_fit(member: Client, url: Url, sandbox: Sandbox) -> None:
    address = url("wizard_enter", "bitbucket_cloud", "api_token")
    values = {"workspace": "a b?c", "username": "ada", "password": "two words"}

    answer = member.post(address, values)

    assert answer.status_code == 422
    assert "two words" not in answer.content.decode()
    assert answer.content.decode().count('aria-invalid="true"') >= 2
    assert not Draft.objects.exists()


def test_what_is_wrong_with_an_address_is_said_once_and_the_secret_asked_for_again(
    member: Client, url: Url, sandbox: Sandbox
) -> None:
    address = url("wizard_enter", "bitbucket_cloud", "api_token")
    values = {"workspace": "acme", "username": "notmail", "password": "ATATTx"}

    asked = text(member.get(address))
    refused = text(member.post(address, values))

    assert "This is no e-mail address." in refused
    assert "valid email" not in refused
    assert "type it again" in refused
    assert "type it again" not in asked


@pytest.mark.parametrize("name", ["workspace", "username", "password"])
@pytest.mark.parametrize("value", ["\x00", "x" * 100_000, "\ud83d", "", "é\r\nX: y"])
def test_no_input_breaks_the_form(
    member: Client, url: Url, sandbox: Sandbox, name: str, value: str
) -> None:
    given = {"workspace": "acme", "username": "ada@example.com", "password": "ATATTx", name: value}
    body = "&".join(f"{key}={_quoted(text)}" for key, text in given.items())

    answer = member.post(
        url("wizard_enter", "bitbucket_cloud", "api_token"),
        body,
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 422
    assert not Draft.objects.exists()


def _quoted(value: str) -> str:
    raw = value.encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in raw)


def test_a_secret_of_another_kind_is_pointed_out(
    member: Client, post: Visit, url: Url, sandbox: Sandbox, draft_of: Callable[[], Draft]
) -> None:
    entered = enter(post, url, sandbox.tokens.api_token("ada@example.com"))

    page = member.get(entered["Location"])

    assert "of another kind: Atlassian API token" in text(page)
    as_that = url("wizard_enter", draft_of().public_id, "api_token")
    assert as_that in page.content.decode()


def test_too_many_verifications_are_put_off(
    member: Client, url: Url, sandbox: Sandbox, token: str
) -> None:
    values = {"workspace": "acme", "api_token": token}
    for _ in range(31):
        entered = member.post(url("wizard_enter", "bitbucket_cloud", "access_token"), values)

    page = member.get(entered["Location"], follow=True)

    assert "Wait a little" in text(page)


def test_discard_forgets_the_secret(
    member: Client, post: Visit, url: Url, token: str, draft_of: Callable[[], Draft]
) -> None:
    enter(post, url, token)
    where = url("wizard_discard", draft_of().public_id)

    asked = text(member.get(where))
    standing = Draft.objects.count()
    answer = post(where)

    assert "for the workspace acme" in asked
    assert standing == 1
    assert answer.status_code == 302
    assert not Draft.objects.exists()


def test_a_draft_is_seen_by_its_author_only(
    client: Client,
    organization: Organization,
    post: Visit,
    url: Url,
    token: str,
    draft_of: Callable[[], Draft],
) -> None:
    enter(post, url, token)
    other = MembershipFactory.create(organization=organization, role=Role.ADMIN).user
    client.force_login(other)
    public_id = draft_of().public_id

    pages = [
        client.get(url("wizard_verify", public_id)),
        client.get(url("wizard_verify_live", public_id)),
        client.get(url("wizard_how", public_id)),
        client.get(url("wizard_enter", public_id, "access_token")),
        client.post(url("wizard_discard", public_id)),
        client.post(url("wizard_leave_out", public_id)),
    ]

    assert {page.status_code for page in pages} == {404}


def test_viewers_do_not_connect(client: Client, organization: Organization, url: Url) -> None:
    client.force_login(MembershipFactory.create(organization=organization, role=Role.VIEWER).user)

    assert client.get(url("wizard_what")).status_code == 403


def test_strangers_find_nothing(client: Client, url: Url, db: None) -> None:
    client.force_login(UserFactory.create())

    assert client.get(url("wizard_what")).status_code == 404


@pytest.mark.parametrize(
    "kind", [("gitlab",), ("bitbucket_cloud", "magic"), ("gitlab", "api_token")]
)
def test_unknown_kinds_are_not_there(member: Client, url: Url, kind: tuple[str, ...]) -> None:
    name = "wizard_how" if len(kind) == 1 else "wizard_enter"

    assert member.get(url(name, *kind)).status_code == 404


def test_a_connection_made_by_a_script_is_finished_here(
    member: Client,
    post: Visit,
    url: Url,
    token: str,
    organization: Organization,
    draft_of: Callable[[], Draft],
) -> None:
    pending = ConnectionFactory.create(
        organization=organization,
        status=Connection.Status.PENDING,
        identity="",
        created_by_name="API key terraform",
    )

    page = member.get(url("connection_finish", pending.pk))
    begun = post(url("connection_finish", pending.pk))
    form = member.get(url("wizard_enter", draft_of().public_id, "access_token"))
    entered = post(url("wizard_enter", draft_of().public_id, "access_token"), api_token=token)

    assert "API key terraform" in text(page)
    assert begun["Location"] == url("wizard_how", draft_of().public_id)
    assert 'name="workspace"' not in form.content.decode()
    assert "checks pass" in text(member.get(entered["Location"]))
