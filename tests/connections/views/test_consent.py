"""To Bitbucket's consent page and back."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from connections.models import Connection, Draft, Grant
from tenants.models import Organization
from tests.connections.views.conftest import Visit
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory, MembershipFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

Url = Callable[..., str]


def decide(address: str, *, persona: str, decision: str = "grant", **ticked: Any) -> str:
    """What a person does at Bitbucket; the path and query to which the browser is sent back."""
    asked = urlsplit(address)
    form = {key: values[0] for key, values in parse_qs(asked.query).items()}
    answer = requests.post(
        f"{asked.scheme}://{asked.netloc}{asked.path}",
        data={**form, "persona": persona, "decision": decision, **ticked},
        allow_redirects=False,
        timeout=5,
    )
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


@pytest.fixture
def begun(post: Visit, url: Url, consumer: tuple[str, str]) -> str:
    """The address at Bitbucket to which the browser was sent."""
    answer = post(url("consent_begin", "bitbucket_cloud"))
    return str(answer["Location"])


def test_consent_leads_to_the_choice_of_a_workspace(
    member: Client, post: Visit, url: Url, begun: str, draft_of: Callable[[], Draft]
) -> None:
    back = decide(begun, persona="ada", workspace=["acme", "globex"])

    returned = member.get(back)
    page = member.get(returned["Location"])
    ids = {one["slug"]: one["id"] for one in Grant.objects.get().reaches}
    ticked = post(returned["Location"], tick="1", workspaces=list(ids.values()))
    choice = member.get(ticked["Location"])
    chosen = post(returned["Location"], workspace="acme")
    verified = member.get(chosen["Location"])

    assert returned["Location"] == url("wizard_workspace", draft_of().public_id)
    assert "You are at Bitbucket as Ada" in text(page)
    assert "Use another account" in text(page)
    assert "Ada Admin administers it" in text(page)
    assert text(page).index("acme") < text(page).index("globex")  # where Ada is a member only
    assert "Which workspace is connected now?" in text(choice)
    assert "checks pass" in text(verified)
    grant = Grant.objects.get()
    assert grant.secrets is not None
    for secret in grant.secrets.values():
        assert secret not in page.content.decode() + verified.content.decode()
    assert not Connection.objects.exists()


def test_only_a_ticked_workspace_can_be_chosen(member: Client, post: Visit, begun: str) -> None:
    returned = member.get(decide(begun, persona="ada", workspace=["acme", "globex"]))
    place = returned["Location"]
    ids = {one["slug"]: one["id"] for one in Grant.objects.get().reaches}

    assert post(place, tick="1").status_code == 422
    assert post(place, tick="1", workspaces=["{none}"]).status_code == 422
    assert post(place, workspace="acme").status_code == 422
    verifying = post(place, tick="1", workspaces=[ids["acme"]])

    assert verifying["Location"].endswith("/verify/")
    assert post(place, workspace="globex").status_code == 422


def test_a_form_may_lead_to_bitbucket(member: Client, url: Url, settings: Settings) -> None:
    page = member.get(url("wizard_enter", "bitbucket_cloud", "oauth2"))

    policy = page["Content-Security-Policy"].split("; ")
    assert f"form-action 'self' {settings.BITBUCKET_CLOUD_WEB_URL}" in policy


def test_cancelling_at_bitbucket_is_no_error_of_anybody(
    member: Client, begun: str, draft_of: Callable[[], Draft]
) -> None:
    answer = member.get(decide(begun, persona="ada", decision="cancel"), follow=True)

    assert answer.status_code == 200
    assert "You chose not to allow it" in text(answer)
    assert draft_of() is not None
    assert not Grant.objects.exists()


def test_an_answer_counts_once(member: Client, begun: str) -> None:
    back = decide(begun, persona="ada", workspace=["acme"])
    member.get(back)

    again = member.get(back, follow=True)

    assert "already" in text(again) or "second time" in text(again)
    assert Grant.objects.count() == 1


def test_another_browser_is_not_let_in(member: Client, begun: str, organization: Any) -> None:
    back = decide(begun, persona="ada", workspace=["acme"])
    other = Client()
    other.force_login(MembershipFactory.create(organization=organization).user)

    answer = other.get(back, follow=True)

    assert not Grant.objects.exists()
    assert answer.status_code in {200, 400, 403, 404}
    assert "browser" in text(answer)


@pytest.mark.parametrize(
    "query", ["", "?state=x", "?state=x&code=y", "?code=y", "?state=%00&code=%00", "?error=x"]
)
def test_an_unknown_answer_is_refused(member: Client, db: None, query: str) -> None:
    answer = member.get(f"/consent/bitbucket/{query}", follow=True)

    assert 400 <= answer.status_code < 500
    assert not Grant.objects.exists()


def test_who_is_not_signed_in_signs_in_first(client: Client, db: None) -> None:
    answer = client.get("/consent/bitbucket/?state=x&code=y")

    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


def test_renewing_gives_the_connection_the_authorization(
    member: Client, post: Visit, url: Url, connection: Connection, consumer: tuple[str, str]
) -> None:
    begun = post(url("consent_renew", connection.pk))

    returned = member.get(decide(begun["Location"], persona="ada", workspace=["acme"]))
    page = text(member.get(returned["Location"]))

    assert returned["Location"] == url("credentials", connection.pk)
    assert "is used from now on" in page
    assert "Bitbucket authorization" in page
    assert connection.credentials.filter(method="oauth2").count() == 1
    assert not Draft.objects.exists()


def test_an_authorization_for_another_workspace_renews_nothing(
    member: Client, post: Visit, url: Url, connection: Connection, consumer: tuple[str, str]
) -> None:
    begun = post(url("consent_renew", connection.pk))

    back = decide(begun["Location"], persona="ada", workspace=["globex"])
    page = member.get(back, follow=True)

    assert "is used from now on" not in text(page)
    assert "notice-bad" in page.content.decode()
    assert not connection.credentials.filter(method="oauth2").exists()


def test_a_connection_made_by_a_script_is_finished_by_consent(
    member: Client,
    post: Visit,
    url: Url,
    organization: Organization,
    consumer: tuple[str, str],
    draft_of: Callable[[], Draft],
) -> None:
    pending = ConnectionFactory.create(organization=organization, status="pending", identity="")
    post(url("connection_finish", pending.pk))
    begun = post(url("consent_begin", draft_of().public_id))

    returned = member.get(decide(begun["Location"], persona="ada", workspace=["acme"]))
    page = member.get(returned["Location"])
    verified = member.get(post(returned["Location"])["Location"])

    assert pending.name in text(page)
    assert 'name="workspace"' not in page.content.decode()
    assert "Choose what to sync" in text(verified)


@pytest.fixture
def unnamed(organization: Organization, sandbox: Sandbox) -> Connection:
    """What AWS's clients begin: a connection of which nobody said yet what it is to."""
    return ConnectionFactory.create(
        organization=organization, name="MyConnection", status="pending", identity="", settings={}
    )


def test_who_finishes_what_names_no_workspace_ticks_and_chooses_it(
    member: Client,
    post: Visit,
    url: Url,
    consumer: tuple[str, str],
    unnamed: Connection,
    draft_of: Callable[[], Draft],
    organization: Organization,
) -> None:
    post(url("connection_finish", unnamed.pk))
    draft = draft_of()
    begun = post(url("consent_begin", draft.public_id))["Location"]

    returned = member.get(decide(begun, persona="ada", workspace=["acme", "globex"]))
    assert "Which workspaces may" in text(member.get(returned["Location"]))
    ids = {one["slug"]: one["id"] for one in Grant.objects.get().reaches}
    post(returned["Location"], tick="1", workspaces=list(ids.values()))
    assert "Which workspace is connected now?" in text(member.get(returned["Location"]))
    verified = post(returned["Location"], workspace="globex")
    assert "checks pass" in text(member.get(verified["Location"]))
    form = {"name": "MyConnection", "streams": ["repositories"], "mode": "all", "schedule": "60"}
    where = reverse("ingestion:wizard_choose", args=(organization.slug, draft.public_id))
    member.post(where, form)

    unnamed.refresh_from_db()
    assert (unnamed.status, unnamed.settings) == ("available", {"workspace": "globex"})
    assert unnamed.identity == ids["globex"]


def test_who_finishes_it_by_a_token_is_asked_for_what_the_token_does_not_tell(
    member: Client,
    post: Visit,
    url: Url,
    unnamed: Connection,
    sandbox: Sandbox,
    draft_of: Callable[[], Draft],
) -> None:
    post(url("connection_finish", unnamed.pk))
    enter = url("wizard_enter", draft_of().public_id, "access_token")
    silent = {"api_token": sandbox.tokens.repository("acme", "api"), "repository": "api"}

    asked = post(enter, **silent)
    assert asked.status_code == 422
    assert "workspace" in asked.context["form"].errors
    verified = post(enter, **silent, workspace="acme")

    assert "checks pass" in text(member.get(verified["Location"]))
