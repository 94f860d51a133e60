"""A script may leave out what the secret tells by itself."""

from typing import Any

import pytest

from connections.models import Connection, Credential
from tests.connections.api.conftest import Script, new_connection
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
ADA = "ada@example.com"


def body(secret: str, settings: dict[str, str] | None = None, **place: str) -> dict[str, Any]:
    credential = {"secrets": {"token": secret}, "settings": settings or {}}
    return new_connection("", settings=place, credential=credential)


def create(script: Script, given: dict[str, Any]) -> Any:
    return script.post("connections.create", given)


def test_a_token_that_tells_its_workspace_fills_it_in(script: Script, sandbox: Sandbox) -> None:
    answer = create(script, body(sandbox.tokens.workspace("acme")))

    assert answer.status == 201
    assert Connection.objects.get().settings == {"workspace": "acme"}
    assert Credential.objects.get().label == "Workspace access token of acme"


def test_the_address_of_a_repository_names_its_workspace(script: Script, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.repository("acme", "api")

    answer = create(script, body(secret, {"repository": "https://bitbucket.org/acme/api"}))

    assert answer.status == 201
    assert Connection.objects.get().settings == {"workspace": "acme"}


def test_one_that_does_not_tell_must_be_told(script: Script, sandbox: Sandbox) -> None:
    answer = create(script, body(sandbox.tokens.project("acme", "CORE")))

    assert answer.status == 422
    assert "settings.workspace" in answer.body["fields"]
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("kind", "typed", "told"),
    [
        ("scopes", {"username": ADA}, "without scopes"),
        ("wrong", {"username": "ben@example.com"}, "as an API token of ben@example.com (401)"),
        ("name", {"username": "ada"}, "not the Bitbucket user name"),
        ("app", {"username": "ada"}, "ended app passwords on 2026-07-28"),
        ("app", {}, "ended app passwords on 2026-07-28"),
        ("unknown", {"username": ADA}, f"neither as an access token nor as an API token of {ADA}"),
    ],
)
def test_what_is_wrong_with_a_secret_is_told_without_guessing_that_it_expired(
    script: Script, sandbox: Sandbox, kind: str, typed: dict[str, str], told: str
) -> None:
    tokens = sandbox.tokens
    secret = {
        "scopes": lambda: tokens.api_token(ADA, scopes=[]),
        "app": lambda: tokens.app_password(ADA),
        "unknown": lambda: "secret-of-an-older-kind",
    }.get(kind, lambda: tokens.api_token(ADA))()

    answer = create(script, body(secret, typed, workspace="acme"))

    assert answer.status == 422
    assert told in str(answer.body)
    assert "expired" not in str(answer.body)
    assert secret not in str(answer.body)
    assert not Connection.objects.exists()
    assert sandbox.count("/user/workspaces") <= 3
