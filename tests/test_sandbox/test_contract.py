"""Every kind of answer against Atlassian's own description of its API.

Null is allowed everywhere and extra properties are ignored; where a recording differs, it wins.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.sandbox import Sandbox
from tests.test_sandbox.client import API, Client
from tests.test_sandbox.test_hooks import made

CONTRACT = Path(__file__).parents[2].parent / "shared/data/openapi/bitbucket-cloud.json"
REPOSITORY = "/repositories/{workspace}/{repo_slug}"
PULL_REQUESTS = f"{REPOSITORY}/pullrequests"

RECORDED_OTHERWISE = {
    # recorded as an object {"required": […], "granted": […]}
    ("error", "detail"),
}
RECORDED_WITHOUT_TYPE = {
    # the links of pipelines, and the parent of a comment, which is an id and links
    ("links",),
    ("links", "self"),
    ("links", "steps"),
    ("parent",),
}

pytestmark = pytest.mark.skipif(
    not CONTRACT.exists(), reason="../shared/data/openapi/bitbucket-cloud.json is not here"
)


@cache
def contract() -> dict[str, Any]:
    return _loosen(json.loads(CONTRACT.read_text()))  # type: ignore[no-any-return]


def _loosen(node: Any) -> Any:
    """Null everywhere, extra properties anywhere."""
    if isinstance(node, list):
        return [_loosen(one) for one in node]
    if not isinstance(node, dict):
        return node
    loose = {key: _loosen(value) for key, value in node.items() if key != "additionalProperties"}
    if isinstance(loose.get("type"), str) and not isinstance(node.get("properties"), str):
        loose["type"] = [loose["type"], "null"]
    if isinstance(loose.get("enum"), list):
        loose["enum"] = [*loose["enum"], None]
    return loose


def problems(body: Any, schema: dict[str, Any]) -> list[str]:
    whole = {**schema, "components": contract()["components"]}
    found = Draft202012Validator(whole).iter_errors(body)
    return [
        f"{'.'.join(map(str, one.path))}: {one.message[:200]}"
        for one in found
        if not _recorded_otherwise(one)
    ]


def _recorded_otherwise(problem: ValidationError) -> bool:
    path = tuple(str(part) for part in problem.path if part != "values" and isinstance(part, str))
    missing = problem.message == "'type' is a required property"
    return path in RECORDED_OTHERWISE or (missing and path in RECORDED_WITHOUT_TYPE)


def schema_of(template: str, status: int = 200) -> dict[str, Any]:
    answer = contract()["paths"][template]["get"]["responses"][str(status)]
    return answer["content"]["application/json"]["schema"]  # type: ignore[no-any-return]


ANSWERS = [
    ("/user", "/user"),
    ("/user/workspaces", "/user/workspaces"),
    ("/user/workspaces/{workspace}/permission", "/user/workspaces/acme/permission"),
    ("/workspaces/{workspace}", "/workspaces/acme"),
    ("/workspaces/{workspace}/members", "/workspaces/acme/members"),
    ("/workspaces/{workspace}/projects", "/workspaces/acme/projects"),
    ("/workspaces/{workspace}/hooks", "/workspaces/acme/hooks"),
    ("/repositories/{workspace}", "/repositories/acme"),
    ("/repositories/{workspace}", "/repositories/globex"),
    (REPOSITORY, API),
    (PULL_REQUESTS, f"{API}/pullrequests?state=ALL&pagelen=50"),
    (
        PULL_REQUESTS,
        f"{API}/pullrequests?state=ALL&fields=%2Bvalues.participants,%2Bvalues.reviewers",
    ),
    (f"{PULL_REQUESTS}/{{pull_request_id}}", f"{API}/pullrequests/4"),
    (f"{PULL_REQUESTS}/{{pull_request_id}}", f"{API}/pullrequests/5"),
    (f"{PULL_REQUESTS}/{{pull_request_id}}", f"{API}/pullrequests/6"),
    (f"{PULL_REQUESTS}/{{pull_request_id}}/comments", f"{API}/pullrequests/4/comments"),
    (f"{REPOSITORY}/commits", f"{API}/commits?pagelen=100"),
    (f"{REPOSITORY}/refs/branches", f"{API}/refs/branches?pagelen=100"),
    (f"{REPOSITORY}/pipelines", f"{API}/pipelines?pagelen=100"),
    (f"{REPOSITORY}/pipelines/{{pipeline_uuid}}", f"{API}/pipelines/1"),
    (f"{REPOSITORY}/pipelines/{{pipeline_uuid}}/steps", f"{API}/pipelines/1/steps"),
    (f"{REPOSITORY}/deployments", f"{API}/deployments"),
    (f"{REPOSITORY}/environments", f"{API}/environments"),
    (f"{REPOSITORY}/hooks", f"{API}/hooks"),
    ("/hook_events", "/hook_events"),
    ("/hook_events/{subject_type}", "/hook_events/repository"),
]


@pytest.fixture
def ada(sandbox: Sandbox) -> Client:
    return Client(sandbox, sandbox.tokens.api_token("ada@example.com"), "ada@example.com")


@pytest.mark.parametrize(("template", "path"), ANSWERS, ids=[path for _, path in ANSWERS])
def test_answers_keep_the_contract(ada: Client, template: str, path: str) -> None:
    answer = ada.get(path)

    assert answer.status_code == 200, answer.text
    assert problems(answer.json(), schema_of(template)) == []


def test_comments_in_the_feed_keep_the_contract(ada: Client) -> None:
    entries = ada.values(f"{API}/pullrequests/activity", pagelen=50)

    comments = [entry["comment"] for entry in entries if "comment" in entry]
    schema = {"$ref": "#/components/schemas/pullrequest_comment"}
    assert comments
    assert [p for comment in comments for p in problems(comment, schema)] == []


def test_a_webhook_that_was_made_keeps_the_contract(client: Client) -> None:
    hook = made(client, secret="hush")

    assert problems(hook, schema_of(f"{REPOSITORY}/hooks/{{uid}}")) == []


@pytest.mark.parametrize("path", ["/workspaces", "/repositories/acme/none", "/nowhere"])
def test_errors_keep_the_contract(ada: Client, path: str) -> None:
    assert problems(ada.get(path).json(), {"$ref": "#/components/schemas/error"}) == []


def test_a_refusal_keeps_the_contract(sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme", scopes=["account"])

    answer = Client(sandbox, secret).get(f"{API}/pullrequests")

    assert answer.status_code == 403
    assert problems(answer.json(), {"$ref": "#/components/schemas/error"}) == []


def test_the_check_finds_what_is_wrong() -> None:
    body = {"type": "pullrequest", "id": "one", "state": "ALMOST"}

    assert len(problems(body, {"$ref": "#/components/schemas/pullrequest"})) == 2
