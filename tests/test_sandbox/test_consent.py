"""The OAuth dance."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox import Sandbox
from tests.test_sandbox.client import API, Client

CALLBACK = "http://127.0.0.1:8000/oauth/callback/"
CONNECT = ("tributary", "tributary-secret")
SIGN_IN = ("tributary-signin", "tributary-signin-secret")


def authorize(sandbox: Sandbox, key: str = CONNECT[0], **changed: str) -> requests.Response:
    form = {"client_id": key, "response_type": "code", "redirect_uri": CALLBACK, "state": "s&1"}
    return requests.get(f"{sandbox.web_url}/site/oauth2/authorize", form | changed, timeout=5)


def decide(sandbox: Sandbox, key: str = CONNECT[0], **changed: Any) -> dict[str, list[str]]:
    form = {
        "client_id": key,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "state": "s&1",
        "persona": "ada",
        "workspace": ["acme"],
        "decision": "grant",
    }
    answer = requests.post(
        f"{sandbox.web_url}/site/oauth2/authorize",
        form | changed,
        timeout=5,
        allow_redirects=False,
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def exchange(sandbox: Sandbox, auth: tuple[str, str] = CONNECT, **form: str) -> requests.Response:
    return requests.post(f"{sandbox.web_url}/site/oauth2/access_token", form, auth=auth, timeout=5)


def tokens(sandbox: Sandbox, key: tuple[str, str] = CONNECT, **changed: Any) -> dict[str, Any]:
    code = decide(sandbox, key[0], **changed)["code"][0]
    answer = exchange(
        sandbox, key, grant_type="authorization_code", code=code, redirect_uri=CALLBACK
    )
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def refresh(sandbox: Sandbox, secret: str) -> requests.Response:
    return exchange(sandbox, grant_type="refresh_token", refresh_token=secret)


def test_the_page_offers_personas_and_then_their_workspaces(sandbox: Sandbox) -> None:
    who = authorize(sandbox)
    what = authorize(sandbox, persona="ada")

    assert all(name in who.text for name in ("Ada Admin", "Ben Member", "Olga Outsider"))
    assert "Acme Corporation" in what.text
    assert 'value="s&amp;1"' in what.text
    assert "Simulated Bitbucket" in what.text
    assert "belong to no workspace" in authorize(sandbox, persona="olga").text


def test_a_grant_leads_back_with_code_and_state_and_on_to_tokens(sandbox: Sandbox) -> None:
    assert decide(sandbox)["state"] == ["s&1"]

    found = tokens(sandbox)

    assert len(found["access_token"]) > 2500
    assert len(found["refresh_token"]) > 2500
    assert found["expires_in"] == 7200
    assert "pullrequest" in found["scopes"].split()
    assert Client(sandbox, found["access_token"]).get(API).status_code == 200


def test_only_the_ticked_workspaces_are_reached(sandbox: Sandbox) -> None:
    client = Client(sandbox, tokens(sandbox, workspace=["globex"])["access_token"])

    slugs = [row["workspace"]["slug"] for row in client.values("/user/workspaces")]

    assert slugs == ["globex"]
    assert client.get(API).status_code == 404


def test_cancel_leads_back_with_access_denied(sandbox: Sandbox) -> None:
    back = decide(sandbox, decision="cancel")

    assert (back["error"], back["state"], "code" in back) == (["access_denied"], ["s&1"], False)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "nobody"}, "Invalid client_id"),
        ({"redirect_uri": "https://evil.example/"}, "Invalid redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1.evil.example/"}, "Invalid redirect_uri"),
    ],
)
def test_strange_requests_lead_nowhere(
    sandbox: Sandbox, changed: dict[str, str], words: str
) -> None:
    answer = authorize(sandbox, **changed)

    assert answer.status_code == 400
    assert words in answer.text


def test_a_registered_callback_must_match_exactly(sandbox: Sandbox) -> None:
    sandbox.consumers.add("own", "own-secret", CALLBACK, ["account"])

    assert authorize(sandbox, "own").status_code == 200
    assert authorize(sandbox, "own", redirect_uri=CALLBACK + "?x=1").status_code == 400


def test_a_code_works_once_for_its_consumer_and_its_address(sandbox: Sandbox) -> None:
    def redeem(code: str, auth: tuple[str, str] = CONNECT, to: str = CALLBACK) -> tuple[int, str]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": to}
        answer = exchange(sandbox, auth, **form)
        return answer.status_code, answer.json().get("error", "")

    code = decide(sandbox)["code"][0]
    assert redeem(code) == (200, "")
    assert redeem(code) == (400, "invalid_grant")
    assert redeem(decide(sandbox)["code"][0], SIGN_IN) == (400, "invalid_grant")
    assert redeem(decide(sandbox)["code"][0], to=CALLBACK + "x") == (400, "invalid_grant")
    assert redeem("any", ("tributary", "wrong")) == (401, "unauthorized_client")


def test_a_refresh_token_rotates_and_dies_shortly_after(sandbox: Sandbox) -> None:
    first = tokens(sandbox)

    second = refresh(sandbox, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(sandbox, first["refresh_token"]).status_code == 200
    sandbox.clock.advance(11)

    dead = refresh(sandbox, first["refresh_token"])
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")
    assert refresh(sandbox, second["refresh_token"]).status_code == 200


def test_a_dead_refresh_token_may_look_like_a_wrong_client(sandbox: Sandbox) -> None:
    sandbox.consumers.rotated_answer = "unauthorized_client"

    dead = refresh(sandbox, "rt_unknown")

    assert (dead.status_code, dead.json()["error"]) == (401, "unauthorized_client")


def test_an_expired_access_token_says_so(sandbox: Sandbox) -> None:
    client = Client(sandbox, tokens(sandbox)["access_token"])
    sandbox.clock.advance(7201)

    answer = client.get(API)

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("Access token expired.")


def test_the_scope_field_has_two_names(sandbox: Sandbox) -> None:
    sandbox.consumers.scope_key = "scope"

    found = tokens(sandbox)

    assert "scopes" not in found
    assert "account" in found["scope"].split()


def test_signing_in_shows_the_person_and_nothing_else(sandbox: Sandbox) -> None:
    client = Client(sandbox, tokens(sandbox, SIGN_IN, persona="olga")["access_token"])

    assert client.get("/user").json()["display_name"] == "Olga Outsider"
    assert client.get("/user/emails").json()["values"][0]["email"] == "olga@example.com"
    assert client.get("/repositories/acme").status_code == 403


def test_all_tokens_of_a_consumer_share_its_quota(sandbox: Sandbox) -> None:
    ada = Client(sandbox, tokens(sandbox)["access_token"])
    ben = Client(sandbox, tokens(sandbox, persona="ben")["access_token"])
    sandbox.quota.limit = 1

    assert ada.get(API).status_code == 200
    assert ben.get(API).status_code == 429


def test_withdrawing_consent_kills_tokens_and_refresh_tokens(sandbox: Sandbox) -> None:
    found = tokens(sandbox)

    sandbox.change.revoke_grants("ada")

    assert Client(sandbox, found["access_token"]).get(API).status_code == 401
    assert refresh(sandbox, found["refresh_token"]).status_code == 400
