"""Who gets in, how far, and in which words the others are refused."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.sandbox import Sandbox
from tests.test_sandbox.client import API, Client

BAD_TOKEN = "Token is invalid, expired, or not supported for this endpoint."
ADA = "ada@example.com"


def test_a_workspace_token_is_an_account_of_its_own(client: Client) -> None:
    body = client.get("/user").json()

    assert body["type"] == "app_user"
    assert "email" not in body


def test_headers_tell_the_scopes_and_the_quota(client: Client) -> None:
    headers = client.get(f"{API}/pullrequests").headers

    assert "pullrequest" in headers["X-OAuth-Scopes"].split(", ")
    assert headers["X-Accepted-OAuth-Scopes"] == "pullrequest"
    assert headers["X-RateLimit-Limit"] == "1000"
    assert headers["X-RateLimit-NearLimit"] == "false"
    assert headers["Atl-Traceid"]
    assert headers["Date"].endswith("GMT")


def test_a_missing_scope_is_named(sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme", scopes=["repository", "account"])

    answer = Client(sandbox, secret).get(f"{API}/pullrequests")

    assert answer.status_code == 403
    problem = answer.json()["error"]
    assert problem["message"] == ("Your credentials lack one or more required privilege scopes.")
    assert problem["detail"] == {"required": ["pullrequest"], "granted": ["repository", "account"]}


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("pullrequest", API, 200),
        ("project", API, 200),
        ("repository", f"{API}/pullrequests", 403),
        ("repository:admin", API, 403),
        ("repository:write", API, 200),
        ("pullrequest:write", f"{API}/pullrequests", 200),
        ("pipeline", API, 403),
        ("webhook", f"{API}/hooks", 200),
        ("repository", "/user", 403),
    ],
)
def test_classic_scopes_imply(sandbox: Sandbox, scope: str, path: str, status: int) -> None:
    client = Client(sandbox, sandbox.tokens.workspace("acme", scopes=[scope]))

    assert client.get(path).status_code == status


def test_granular_scopes_never_imply(sandbox: Sandbox) -> None:
    secret = sandbox.tokens.api_token(ADA, scopes=["read:pullrequest:bitbucket"])
    client = Client(sandbox, secret, ADA)

    assert client.get(f"{API}/pullrequests").status_code == 200
    refused = client.get(API)
    assert refused.status_code == 403
    assert refused.json()["error"]["detail"]["required"] == ["read:repository:bitbucket"]


def test_wrong_ways_to_show_a_credential(sandbox: Sandbox) -> None:
    access = sandbox.tokens.workspace("acme")
    personal = sandbox.tokens.api_token(ADA)
    clients = {
        "api token as bearer": Client(sandbox, personal),
        "api token with the user name": Client(sandbox, personal, "ada"),
        "access token as basic": Client(sandbox, access, ADA),
        "app password": Client(sandbox, sandbox.tokens.app_password(ADA), ADA),
        "without scopes": Client(sandbox, sandbox.tokens.api_token(ADA, scopes=[]), ADA),
        "unknown": Client(sandbox, "ATCTT3x"),
    }

    answers = {name: client.get("/repositories/acme") for name, client in clients.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        clients, 401
    )
    assert {answer.json()["error"]["message"] for answer in answers.values()} == {BAD_TOKEN}


def test_nobody_sees_the_empty_page_or_is_asked_who_they_are(sandbox: Sandbox) -> None:
    anonymous = Client(sandbox, None)

    assert anonymous.get("/repositories/acme").json()["values"] == []
    assert anonymous.get("/user").status_code == 401
    assert anonymous.get(API).status_code == 404


def test_a_token_that_reaches_nothing_gets_an_empty_page(client: Client) -> None:
    answer = client.get("/repositories/globex")

    assert (answer.status_code, answer.json()["values"]) == (200, [])


def test_a_repository_token_sees_its_repository_only(sandbox: Sandbox) -> None:
    client = Client(sandbox, sandbox.tokens.repository("acme", "api"))

    assert client.get(API).status_code == 200
    elsewhere = client.get("/repositories/acme/web")
    assert elsewhere.status_code == 404
    assert elsewhere.json()["error"]["message"].startswith("You may not have access to this repo")
    assert client.values("/repositories/acme") == []


@pytest.mark.parametrize(("kind", "of"), [("project", "CORE"), ("repository", "api")])
def test_tokens_of_a_part_of_a_workspace_never_read_its_members(
    kind: str, of: str, sandbox: Sandbox
) -> None:
    make = getattr(sandbox.tokens, kind)

    assert Client(sandbox, make("acme", of)).get("/workspaces/acme/members").status_code == 403
    with pytest.raises(ValueError, match="cannot have"):
        make("acme", of, ["account", "repository"])


def test_a_project_token_sees_its_project_only(sandbox: Sandbox) -> None:
    client = Client(sandbox, sandbox.tokens.project("acme", "CORE"))

    assert [row["project"]["key"] for row in client.values("/repositories/acme")] == ["CORE"]


def test_repositories_by_uuid_with_or_without_workspace(client: Client, sandbox: Sandbox) -> None:
    repository = sandbox.world.workspaces["acme"].repositories["api"]
    workspace, own = quote(repository.workspace.uuid), quote(repository.uuid)

    paths = [f"/{workspace}/{own}", f"/acme/{own}", f"/{workspace}/api", f"/%7B%7D/{own}"]

    names = {client.get(f"/repositories{path}").json()["full_name"] for path in paths}
    assert names == {"acme/api"}


def test_workspaces_of_a_person_have_no_names(sandbox: Sandbox) -> None:
    client = Client(sandbox, sandbox.tokens.api_token(ADA), ADA)

    rows = client.values("/user/workspaces", sort="slug")

    assert [row["workspace"]["slug"] for row in rows] == ["acme", "empty", "globex"]
    assert [row["administrator"] for row in rows] == [True, True, False]
    assert not any("name" in row["workspace"] for row in rows)
    assert len(client.values("/user/workspaces", administrator="true")) == 2


def test_hooks_of_a_workspace_are_for_owners(sandbox: Sandbox, client: Client) -> None:
    owner = Client(sandbox, sandbox.tokens.api_token(ADA), ADA)

    assert owner.get("/workspaces/acme/hooks").status_code == 200
    assert owner.get("/workspaces/globex/hooks").status_code == 403
    assert client.get("/workspaces/acme/hooks").status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/repositories", "/workspaces", "/user/permissions/workspaces", "/pullrequests/someone"],
)
def test_removed_paths_are_gone(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 410
    assert answer.json()["error"]["message"].startswith("CHANGE-2770")


def test_a_path_without_the_version_looks_like_a_refusal(client: Client) -> None:
    answer = client.get(f"{client.sandbox.url}/user")

    assert (answer.status_code, answer.text) == (403, "Forbidden")


@pytest.mark.parametrize("name", ["src/main.py", "diff/main", "diffstat/main", "patch/main"])
def test_source_code_is_counted_apart(client: Client, sandbox: Sandbox, name: str) -> None:
    client.get(f"{API}/pullrequests")
    assert sandbox.source_requests == 0

    client.get(f"{API}/{name}")

    assert sandbox.source_requests == 1


def test_emails_only_with_their_scope(sandbox: Sandbox) -> None:
    client = Client(sandbox, sandbox.tokens.api_token(ADA), ADA)

    assert [row["email"] for row in client.values("/user/emails")] == [ADA]
