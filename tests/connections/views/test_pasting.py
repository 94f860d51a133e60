"""Any secret in one field: what it is shows, after at most three requests."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections.models import Connection, Credential, Draft
from tests.connections.views.conftest import Visit
from tests.connections.views.test_wizard import text
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

Url = Callable[..., str]
ADA = "ada@example.com"


class Paster:
    """Pastes, and then types what is asked, with the requests that finding out took."""

    def __init__(self, post: Visit, member: Client, url: Url, sandbox: Sandbox) -> None:
        self._post, self._member, self._sandbox = post, member, sandbox
        self.where = url("wizard_how", "bitbucket_cloud")

    def paste(self, secret: str, **typed: str) -> Any:
        """The page that follows; GETs of the checks are not counted as finding out."""
        answer = self._post(self.where, secret=secret, **typed)
        if answer.status_code != 302:
            return answer
        self.where = answer["Location"]
        return self._member.get(self.where)

    @property
    def requests(self) -> int:
        """How many questions it took to find out what it is."""
        return self._sandbox.count(r"/user/workspaces$")

    @property
    def is_verifying(self) -> bool:
        return self.where.endswith("/verify/")


@pytest.fixture
def paster(post: Visit, member: Client, url: Url, sandbox: Sandbox) -> Paster:
    return Paster(post, member, url, sandbox)


def nothing_is_connected() -> bool:
    return not Connection.objects.exists() and not Credential.objects.exists()


def test_a_workspace_token_tells_everything(paster: Paster, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme")

    page = paster.paste(secret)

    assert paster.is_verifying
    assert paster.requests == 1
    assert "Workspace access token: acts as acme" in text(page)
    assert "All 8 checks pass." in text(page) or "checks pass" in text(page)
    assert secret not in page.content.decode()


def test_a_project_token_is_asked_for_its_workspace(paster: Paster, sandbox: Sandbox) -> None:
    asked = paster.paste(sandbox.tokens.project("acme", "CORE"))
    told = text(asked)
    page = paster.paste("", workspace="https://bitbucket.org/acme/")

    assert "Project access token" in told
    assert "does not tell of which workspace it is" in told
    assert 'name="repository"' not in asked.content.decode()
    assert paster.is_verifying
    assert paster.requests == 1
    assert "Project access token: acts as acme/CORE" in text(page)
    assert "Going on without people" in text(page)


def test_a_repository_token_is_asked_for_its_repository(paster: Paster, sandbox: Sandbox) -> None:
    told = text(paster.paste(sandbox.tokens.repository("acme", "api")))
    page = paster.paste("", repository="https://bitbucket.org/acme/api/src/main/")

    assert "Repository access token" in told
    assert "does not tell of which repository it is" in told
    assert paster.is_verifying
    assert paster.requests == 1
    assert "Repository access token: acts as acme/api and sees 1 repository" in text(page)


def test_a_clone_address_holds_all_that_a_repository_token_needs(
    paster: Paster, sandbox: Sandbox
) -> None:
    secret = sandbox.tokens.repository("acme", "api")

    page = paster.paste(f"git clone https://x-token-auth:{secret}@bitbucket.org/acme/api.git")

    assert paster.is_verifying
    assert "acts as acme/api" in text(page)
    assert secret not in page.content.decode()


def test_an_api_token_is_asked_for_its_email(
    paster: Paster, sandbox: Sandbox, draft_of: Callable[[], Draft]
) -> None:
    secret = sandbox.tokens.api_token(ADA)

    told = text(paster.paste(secret))
    before = paster.requests
    asked = paster.paste("", username=ADA)  # Ada sees several workspaces
    page = paster.paste("", workspace="acme")

    assert "Atlassian API token" in told
    assert "e-mail of its Atlassian account" in told
    assert before == 0
    assert re.findall(r'type="radio" name="workspace" value="(\w+)"', asked.content.decode()) == [
        "acme",
        "empty",
        "globex",
    ]
    assert paster.is_verifying
    assert paster.requests == 1
    assert "Atlassian API token: acts as Ada Admin and sees" in text(page)
    assert draft_of().settings == {"username": ADA, "workspace": "acme"}


def test_a_wrong_email_is_named_and_can_be_typed_again(paster: Paster, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.api_token(ADA)

    page = paster.paste(f"ben@example.com:{secret}")
    requests = len(sandbox.requests)
    again = paster.paste("", username=ADA)

    assert "Atlassian API token" in text(page)
    assert "does not accept this as an API token of ben@example.com (401)" in text(page)
    assert "Check the e-mail first" in text(page)
    assert "kept, type to replace" in page.content.decode()
    assert 'value="ben@example.com"' in page.content.decode()
    assert secret not in page.content.decode()
    assert requests == 1
    assert "It sees several workspaces." in text(again)
    assert nothing_is_connected()


def test_a_user_name_does_not_do(paster: Paster, sandbox: Sandbox) -> None:
    page = paster.paste(f"ada:{sandbox.tokens.api_token(ADA)}")

    assert "Atlassian API token" in text(page)
    assert "ada is none: a user name does not do" in text(page)
    assert sandbox.requests == []


def test_an_api_token_without_scopes_is_not_called_expired(
    paster: Paster, sandbox: Sandbox
) -> None:
    page = paster.paste(f"{ADA}:{sandbox.tokens.api_token(ADA, scopes=[])}")

    assert "Atlassian API token" in text(page)
    assert "made without scopes" in text(page)
    assert "expired" not in text(page)
    assert len(sandbox.requests) == 1


def test_an_app_password_is_explained_without_asking(paster: Paster, sandbox: Sandbox) -> None:
    answer = paster.paste(sandbox.tokens.app_password(ADA))

    assert answer.status_code == 422
    assert "ended app passwords on 2026-07-28" in text(answer)
    assert "Make an Atlassian API token with scopes" in text(answer)
    assert sandbox.requests == []
    assert not Draft.objects.exists()


def test_a_secret_that_looks_like_nothing_is_tried_as_both(
    paster: Paster, sandbox: Sandbox
) -> None:
    told = text(paster.paste("secret-of-an-older-kind"))
    page = text(paster.paste("", username=ADA))

    assert "does not accept this as an access token" in told
    assert f"neither as an access token nor as an API token of {ADA}" in page
    assert "expired" not in told + page
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("ATCTTnever-made-by-anybody", "does not accept this access token (401)"),
        ("ATBBpasted", "ended app passwords"),
        ("", "This is required."),
        ("two words", "no token has"),
        ("\x00", "no token has"),
        ("é" * 20, "no token has"),
        ("x" * 20_000, "at most"),
    ],
)
def test_what_cannot_be_used_leaves_nothing_behind(
    paster: Paster, sandbox: Sandbox, secret: str, told: str
) -> None:
    answer = paster.paste(secret)

    assert answer.status_code == 422
    assert told in text(answer) or (told == "no token has" and "Null characters" in text(answer))
    assert "expired" not in text(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert len(sandbox.requests) <= 1
    assert not Draft.objects.exists()


def test_trouble_at_bitbucket_is_not_blamed_on_the_secret(paster: Paster, sandbox: Sandbox) -> None:
    sandbox.faults.add(".", status=503)

    answer = paster.paste(sandbox.tokens.workspace("acme"))

    assert "Bitbucket has trouble of its own (503)." in text(answer)
    assert not Draft.objects.exists()


def test_a_token_of_an_authorization_is_named(paster: Paster, sandbox: Sandbox) -> None:
    token = sandbox.tokens.oauth(
        sandbox.world.persona("ada"),
        consumer="tributary",
        scopes=["account"],
        ticked=None,
        seconds=3600,
    )

    answer = paster.paste(f"Authorization: Bearer {token.secret}")

    assert "Choose Bitbucket authorization instead" in text(answer)
    assert not Draft.objects.exists()


def test_the_form_of_a_method_asks_the_token_for_its_workspace(
    post: Visit, member: Client, url: Url, sandbox: Sandbox, draft_of: Callable[[], Draft]
) -> None:
    where = url("wizard_enter", "bitbucket_cloud", "access_token")

    refused = post(where, api_token=sandbox.tokens.project("acme", "CORE"))
    entered = post(where, api_token=sandbox.tokens.workspace("acme"))

    assert "does not tell of which workspace it is" in text(refused)
    assert entered.status_code == 302
    assert draft_of().settings["workspace"] == "acme"
