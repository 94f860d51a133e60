"""Webhooks: who may make them, and what they deliver."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.routes.catalogue import EVENTS
from tests.sandbox.scopes import READ_ALL_GRANULAR
from tests.test_sandbox.client import API, Client
from tests.test_sandbox.receiver import Receiver, receiving

ADA, BEN = "ada@example.com", "ben@example.com"
HOOKS = f"{API}/hooks"
ALL = [one for one in EVENTS if one.startswith(("repo:", "pullrequest:"))]
WRITES = [*READ_ALL_GRANULAR, "write:webhook:bitbucket", "delete:webhook:bitbucket"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def ada(sandbox: Sandbox) -> Client:
    return Client(sandbox, sandbox.tokens.api_token(ADA, WRITES), ADA)


def wish(url: str = "http://127.0.0.1:9/hook", **values: Any) -> dict[str, Any]:
    return {"description": "ours", "url": url, "active": True, "events": ALL, **values}


def made(client: Client, path: str = HOOKS, **values: Any) -> dict[str, Any]:
    answer = client.send("POST", path, wish(**values))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def quoted(hook: dict[str, Any]) -> str:
    return str(hook["uuid"]).replace("{", "%7B").replace("}", "%7D")


def test_a_webhook_is_made_and_shows_no_secret(client: Client) -> None:
    hook = made(client, secret="hush")

    assert "hush" not in str(hook)
    assert hook["secret_set"] is True
    assert client.values(HOOKS) == [hook]


def test_a_secret_stays_where_it_is_left_out_and_goes_where_it_is_null(client: Client) -> None:
    hook = made(client, secret="hush")
    path = f"{HOOKS}/{quoted(hook)}"

    left_out = client.send("PUT", path, {"description": "other"}).json()
    removed = client.send("PUT", path, {"secret": None}).json()

    assert (left_out["secret_set"], left_out["description"]) == (True, "other")
    assert removed["secret_set"] is False


def test_a_deleted_webhook_is_no_valid_hook(client: Client) -> None:
    path = f"{HOOKS}/{quoted(made(client))}"

    assert client.send("DELETE", path).status_code == 204
    assert client.send("DELETE", path).status_code == 404
    assert "is not a valid hook" in client.get(path).json()["error"]["message"]


@pytest.mark.parametrize("events", [["repo:push", "repo:sneeze"], []])
def test_unknown_or_no_events_are_refused(client: Client, events: list[str]) -> None:
    assert client.send("POST", HOOKS, wish(events=events)).status_code == 400


def test_a_webhook_needs_the_scopes_of_its_events(sandbox: Sandbox) -> None:
    token = sandbox.tokens.workspace("acme", scopes=["webhook", "repository"])
    client = Client(sandbox, token)

    refused = client.send("POST", HOOKS, wish())

    assert refused.status_code == 403
    assert "pullrequest" in refused.json()["error"]["detail"]["required"]
    assert client.send("POST", HOOKS, wish(events=["repo:push"])).status_code == 201


def test_reading_webhooks_does_not_allow_to_write_them(sandbox: Sandbox) -> None:
    reader = Client(sandbox, sandbox.tokens.api_token(ADA), ADA)

    assert reader.get(HOOKS).status_code == 200
    assert reader.send("POST", HOOKS, wish()).status_code == 403


def test_only_owners_make_those_of_a_workspace(
    sandbox: Sandbox, ada: Client, client: Client
) -> None:
    ben = Client(sandbox, sandbox.tokens.api_token(BEN, WRITES), BEN)

    statuses = [
        one.send("POST", "/workspaces/acme/hooks", wish()).status_code for one in (ben, client)
    ]

    assert statuses == [403, 403]
    assert ben.send("POST", HOOKS, wish()).status_code == 403
    assert made(ada, "/workspaces/acme/hooks")["subject_type"] == "workspace"


def test_a_delivery_is_signed(sandbox: Sandbox, client: Client, receiver: Receiver) -> None:
    hook = made(client, url=receiver.url, secret="hush")

    sandbox.change.comment("acme", "api", 3, raw="Looks good")

    attempt = sandbox.deliveries[0]
    headers, told = receiver.headers[0], receiver.told[0]
    digest = hmac.new(b"hush", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha256={digest}"
    assert headers["X-Event-Key"] == "pullrequest:comment_created"
    assert headers["X-Request-UUID"] == attempt.request
    assert headers["X-Hook-UUID"] == hook["uuid"].strip("{}")
    assert (told["comment"]["content"]["raw"], told["pullrequest"]["id"]) == ("Looks good", 3)


def test_without_a_secret_nothing_is_signed(
    sandbox: Sandbox, client: Client, receiver: Receiver
) -> None:
    made(client, url=receiver.url)

    sandbox.change.push_main("acme", "api")

    assert [one.status for one in sandbox.deliveries] == [200]
    assert "X-Hub-Signature" not in receiver.headers[0]


@pytest.mark.parametrize(
    ("answers", "attempts"), [([500, 503, 200], 3), ([500], 3), ([401], 1), ([500, 200], 2)]
)
def test_a_failed_delivery_is_tried_at_most_twice_more(
    sandbox: Sandbox, client: Client, receiver: Receiver, answers: list[int], attempts: int
) -> None:
    made(client, url=receiver.url)
    receiver.answers = answers

    sandbox.change.comment("acme", "api", 3)

    tried = sandbox.deliveries
    assert [one.number for one in tried] == list(range(1, attempts + 1))
    assert len({one.request for one in tried}) == 1


def test_what_nobody_answers_is_lost(sandbox: Sandbox, client: Client) -> None:
    made(client)  # nothing listens there

    sandbox.change.comment("acme", "api", 3)

    assert [one.status for one in sandbox.deliveries] == [0, 0, 0]


def test_a_webhook_of_a_workspace_hears_of_all_repositories(
    sandbox: Sandbox, ada: Client, receiver: Receiver
) -> None:
    made(ada, "/workspaces/acme/hooks", url=receiver.url)

    sandbox.change.push_main("acme", "web")
    sandbox.change.new_repository("acme", "fresh")

    assert [one.status for one in sandbox.deliveries] == [200, 200]
    assert receiver.events == ["repo:push", "repo:created"]
    assert [one["repository"]["name"] for one in receiver.told] == ["Web", "Fresh"]


@pytest.mark.parametrize("values", [{"active": False}, {"events": ["repo:fork"]}])
def test_what_was_switched_off_hears_nothing(
    sandbox: Sandbox, client: Client, receiver: Receiver, values: dict[str, Any]
) -> None:
    sandbox.change.edit_hook(made(client, url=receiver.url)["uuid"], **values)

    sandbox.change.comment("acme", "api", 3)

    assert sandbox.deliveries == []


def test_every_change_tells_its_events(
    sandbox: Sandbox, client: Client, receiver: Receiver
) -> None:
    made(client, url=receiver.url)
    change, at = sandbox.change, ("acme", "api")
    one = change.new_pull_request(*at).id
    said = change.comment(*at, one).id
    change.edit_comment(*at, one, said, raw="Better")
    change.delete_comment(*at, one)
    change.request_changes(*at, one)
    change.unapprove(*at, one)
    change.approve(*at, one)
    change.unapprove(*at, one)
    change.pull_request(*at, one, title="Another")
    change.push(*at, one)
    change.merge(*at, one)
    change.decline(*at, change.new_pull_request(*at).id)
    change.finish_pipeline(*at, change.new_pipeline(*at).uuid)

    assert {one.status for one in sandbox.deliveries} == {200}
    of_pull_requests = [one.partition(":")[2] for one in receiver.events if "pullr" in one]
    assert of_pull_requests == [
        "created",
        "comment_created",
        "comment_updated",
        "comment_deleted",
        "changes_request_created",
        "changes_request_removed",
        "approved",
        "unapproved",
        "updated",
        "push",
        "fulfilled",
        "created",
        "rejected",
    ]
    builds = [one["commit_status"]["state"] for one in receiver.told if "commit_status" in one]
    assert builds == ["INPROGRESS", "SUCCESSFUL"]


def test_a_push_tells_of_the_branch_that_moved(
    sandbox: Sandbox, client: Client, receiver: Receiver
) -> None:
    made(client, url=receiver.url, events=["repo:push"])
    tip = sandbox.world.workspaces["acme"].repositories["api"].branches["main"]

    last = sandbox.change.push_branch("acme", "api", "feature", count=7)
    sandbox.change.delete_branch("acme", "api", "feature")
    sandbox.change.force_push_main("acme", "api")

    assert len(sandbox.deliveries) == 3
    begun, ended, forced = (one["push"]["changes"][0] for one in receiver.told)
    assert (begun["old"], begun["created"], begun["new"]["target"]["hash"]) == (None, True, last)
    assert (len(begun["commits"]), begun["truncated"]) == (5, True)
    assert (ended["new"], ended["closed"]) == (None, True)
    assert (forced["old"]["target"]["hash"], forced["forced"], forced["commits"]) == (tip, True, [])


def test_a_body_over_256_kilobytes_is_silently_not_sent(
    sandbox: Sandbox, client: Client, receiver: Receiver
) -> None:
    made(client, url=receiver.url)

    sandbox.change.comment("acme", "api", 3, raw="x" * 300_000)

    assert sandbox.deliveries == []


def test_the_control_page_lists_the_attempts(
    sandbox: Sandbox, client: Client, receiver: Receiver
) -> None:
    made(client, url=receiver.url)
    sandbox.change.comment("acme", "api", 3)
    assert sandbox.deliveries

    told = client.get(f"{sandbox.url}/control/deliveries").json()

    assert (told["count"], told["deliveries"][0]["status"]) == (1, 200)
