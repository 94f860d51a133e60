"""What the generated world holds, and how it changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox import Sandbox, Scale
from tests.sandbox.generation import generate
from tests.sandbox.world import PullRequest, Repository, World
from tests.test_sandbox.client import API, Client

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
PULL_REQUESTS = f"{API}/pullrequests"


def make(seed: int = 1, **sizes: Any) -> World:
    return generate(seed=seed, scale=Scale(**sizes), until=UNTIL)


def api(world: World) -> Repository:
    return world.workspaces["acme"].repositories["api"]


def test_the_same_seed_gives_the_same_world() -> None:
    def summary(world: World) -> list[tuple[str, datetime, str]]:
        rows = api(world).pull_requests.values()
        return [(one.title, one.updated_on, one.source_hash) for one in rows]

    assert summary(make(1)) == summary(make(1))
    assert summary(make(1)) != summary(make(2))


def test_the_sizes_are_as_asked_for() -> None:
    world = make(repositories=4, pull_requests=30, people=20, pipelines=7, workspaces=5)
    acme = world.workspaces["acme"]

    assert len(world.workspaces) == 5
    assert len(acme.repositories) == 4
    assert len(acme.members) == 20
    for repository in acme.repositories.values():
        assert len(repository.pull_requests) == 30
        assert len(repository.pipelines) == 7


def test_each_pull_request_has_its_updates_comments_and_approvals() -> None:
    rows = api(make(pull_requests=30)).pull_requests.values()

    def kinds(one: PullRequest, kind: str) -> int:
        return sum(entry.kind == kind for entry in one.activity)

    assert {kinds(one, "update") for one in rows} == {5}
    assert {kinds(one, "comment") for one in rows if one.id % 2 == 0} == {3}
    assert {kinds(one, "approval") for one in rows if one.id % 3 == 0} == {1}
    assert {kinds(one, "comment") for one in rows if one.id % 2} == {0}


def test_the_odd_ones_are_there() -> None:
    rows = api(make(pull_requests=25)).pull_requests

    assert rows[5].source_repository is None
    assert rows[6].author is None
    assert {e.kind for e in rows[6].activity if e.person is None} == {
        "update",
        "approval",
        "comment",
    }
    assert None in {comment.user for comment in rows[6].comments}
    assert rows[7].updated_on == rows[8].updated_on == rows[9].updated_on
    assert rows[9].closed_by is None
    assert rows[10].draft
    assert len(rows[11].title) > 200
    assert {one.state for one in rows.values()} == {"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}
    assert any(comment.deleted for comment in rows[4].comments)
    assert all(one.updated_on <= UNTIL for one in rows.values())


def test_many_pull_requests_may_share_one_instant() -> None:
    rows = api(make(pull_requests=90, same_instant=70)).pull_requests

    assert sum(one.updated_on == rows[7].updated_on for one in rows.values()) == 70


def test_answers_show_the_odd_ones_as_recorded(client: Client) -> None:
    def get(number: int) -> dict[str, Any]:
        return client.get(f"{PULL_REQUESTS}/{number}").json()  # type: ignore[no-any-return]

    assert get(5)["source"]["repository"] is None
    assert get(6)["author"] is None
    assert get(9)["closed_by"] is None
    assert get(20)["merge_commit"] is None
    assert len(get(1)["merge_commit"]["hash"]) == 12
    assert len(get(1)["source"]["commit"]["hash"]) == 12
    assert "+00:00" in get(1)["updated_on"]


def test_deleted_comments_are_marked_or_vanish_from_the_feed(client: Client) -> None:
    def in_feed(number: int) -> list[bool]:
        entries = client.values(f"{PULL_REQUESTS}/{number}/activity")
        return [entry["comment"]["deleted"] for entry in entries if "comment" in entry]

    listed = client.values(f"{PULL_REQUESTS}/4/comments")

    assert [row["deleted"] for row in listed].count(True) == 1
    assert client.get(f"{PULL_REQUESTS}/4").json()["comment_count"] == 2
    assert sorted(in_feed(4)) == [False, False]
    assert sorted(in_feed(12)) == [False, False, True]


def test_comments_have_anchor_parent_and_resolution(client: Client) -> None:
    rows = client.values(f"{PULL_REQUESTS}/2/comments", sort="id")

    assert rows[0]["inline"]["path"] == "src/main.py"
    assert rows[0]["resolution"]["user"]
    assert rows[1]["parent"]["id"] == rows[0]["id"]


def test_pipelines_have_internal_links_and_dates_of_any_length(client: Client) -> None:
    rows = client.values(f"{API}/pipelines", pagelen=100)

    assert {row["links"]["self"]["href"][:33] for row in rows} == {
        "http://bitbucket-pipelines.prod.p"
    }
    assert {len(row["created_on"]) for row in rows} == {20, 24, 26, 27, 30}
    assert {row["state"]["name"] for row in rows} == {"COMPLETED", "IN_PROGRESS"}
    assert any(row["run_number"] == 2 for row in rows)
    assert any(row["creator"] is None for row in rows)
    assert any("completed_on" not in row for row in rows)


def test_globex_has_an_empty_repository_and_a_fork(sandbox: Sandbox) -> None:
    client = Client(sandbox, sandbox.tokens.workspace("globex"))

    rows = {row["slug"]: row for row in client.values("/repositories/globex")}

    assert rows["attic"]["mainbranch"] is None
    assert client.get("/repositories/globex/attic/commits").json()["values"] == []
    assert rows["api-fork"]["parent"]["full_name"] == "globex/api"


def changes() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("pull_request", {"title": "Another title"}),
        ("comment", {"raw": "Hello"}),
        ("approve", {}),
        ("request_changes", {}),
        ("push", {}),
        ("merge", {}),
        ("decline", {"reason": "No"}),
    ]


@pytest.mark.parametrize(("name", "values"), changes(), ids=[name for name, _ in changes()])
def test_what_people_do_moves_the_update_and_enters_the_feed(
    client: Client, sandbox: Sandbox, name: str, values: dict[str, Any]
) -> None:
    before = client.get(f"{PULL_REQUESTS}/20").json()
    feed = client.get(f"{PULL_REQUESTS}/activity").json()["values"]

    getattr(sandbox.change, name)("acme", "api", 20, **values)

    after = client.get(f"{PULL_REQUESTS}/20").json()
    newest = client.get(f"{PULL_REQUESTS}/activity").json()["values"][0]
    assert after["updated_on"] > before["updated_on"]
    assert newest["pull_request"]["id"] == 20
    assert newest not in feed


def test_a_withdrawn_approval_leaves_the_feed(client: Client, sandbox: Sandbox) -> None:
    sandbox.change.approve("acme", "api", 20, person="ada")
    count = len(client.values(f"{PULL_REQUESTS}/20/activity"))
    moved = client.get(f"{PULL_REQUESTS}/20").json()["updated_on"]

    sandbox.change.unapprove("acme", "api", 20, person="ada")

    assert len(client.values(f"{PULL_REQUESTS}/20/activity")) == count - 1
    assert client.get(f"{PULL_REQUESTS}/20").json()["updated_on"] > moved


def test_renames_keep_uuids(client: Client, sandbox: Sandbox) -> None:
    before = client.get(API).json()

    sandbox.change.rename_repository("acme", "api", "backend", name="Backend")
    sandbox.change.rename_workspace("acme", "acme-eng")

    assert client.get(API).status_code == 404
    after = client.get("/repositories/acme-eng/backend").json()
    assert (after["uuid"], after["name"]) == (before["uuid"], "Backend")
    assert after["workspace"]["uuid"] == before["workspace"]["uuid"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_repository_stays_in_the_listing(
    client: Client, sandbox: Sandbox, status: int
) -> None:
    sandbox.change.refuse_repository("acme", "api", status=status)

    assert client.get(PULL_REQUESTS).status_code == status
    assert "api" in [row["slug"] for row in client.values("/repositories/acme")]
    sandbox.change.allow_repository("acme", "api")
    assert client.get(PULL_REQUESTS).status_code == 200


def test_a_deleted_repository_is_gone(client: Client, sandbox: Sandbox) -> None:
    sandbox.change.delete_repository("acme", "api")

    assert client.get(API).status_code == 404
    assert [row["slug"] for row in client.values("/repositories/acme")] == ["web"]


def test_revoking_and_removing_scopes(client: Client, sandbox: Sandbox) -> None:
    sandbox.change.remove_scope("acme workspace token", "pullrequest")
    assert client.get(PULL_REQUESTS).status_code == 403

    sandbox.change.revoke("acme workspace token")
    assert client.get(API).status_code == 401

    sandbox.change.restore("acme workspace token")
    assert client.get(API).status_code == 200


def test_pipelines_start_finish_and_run_again(client: Client, sandbox: Sandbox) -> None:
    run = sandbox.change.new_pipeline("acme", "api")
    path = f"{API}/pipelines/{run.build_number}"
    assert client.get(path).json()["state"]["name"] == "PENDING"

    sandbox.change.finish_pipeline("acme", "api", run.uuid, result="FAILED")
    failed = client.get(path).json()
    sandbox.change.rerun_pipeline("acme", "api", run.build_number)
    again = client.get(path).json()

    assert failed["state"]["result"]["name"] == "FAILED"
    assert again["state"]["result"]["name"] == "SUCCESSFUL"
    assert (failed["run_number"], again["run_number"]) == (1, 2)
    assert again["uuid"] == failed["uuid"]


def test_people_rename_and_leave(client: Client, sandbox: Sandbox) -> None:
    count = len(client.values("/workspaces/acme/members"))

    sandbox.change.rename_person("ben", "Benedict Member")
    names = [row["user"]["display_name"] for row in client.values("/workspaces/acme/members")]
    sandbox.change.remove_person("acme", "ben@example.com")

    assert "Benedict Member" in names
    assert len(client.values("/workspaces/acme/members")) == count - 1


def test_a_force_push_drops_commits(client: Client, sandbox: Sandbox) -> None:
    new = sandbox.change.push_main("acme", "api")
    old = sandbox.change.force_push_main("acme", "api")

    dropped = client.values(f"{API}/commits", include=new, exclude=old)

    assert [row["hash"] for row in dropped] == [new]
    assert client.get(f"{API}/refs/branches/main").json()["target"]["hash"] == old
