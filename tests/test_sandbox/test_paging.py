"""Pages as Bitbucket cuts them."""

from __future__ import annotations

import pytest

from tests.sandbox import Sandbox
from tests.test_sandbox.client import API, Client

FEED = f"{API}/pullrequests/activity"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (f"{API}/pullrequests", 50),
        (FEED, 50),
        (f"{API}/pullrequests/1/activity", 50),
        (f"{API}/pullrequests/2/comments", 100),
        (f"{API}/pipelines", 100),
        (f"{API}/commits", 100),
        ("/repositories/acme", 100),
        ("/workspaces/acme/members", 100),
    ],
)
def test_pagelen_above_the_maximum_is_refused(client: Client, path: str, most: int) -> None:
    assert client.get(path, pagelen=most).status_code == 200

    refused = client.get(path, pagelen=most + 1)

    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "Invalid pagelen"


@pytest.mark.parametrize("pagelen", ["0", "-1", "many", "", "٣"])
def test_pagelen_must_be_a_number(client: Client, pagelen: str) -> None:
    assert client.get(f"{API}/pullrequests", pagelen=pagelen).status_code == 400


def test_lists_default_to_ten_with_size_and_page(client: Client) -> None:
    body = client.get(f"{API}/pullrequests", state="ALL").json()

    assert (len(body["values"]), body["size"], body["page"], body["pagelen"]) == (10, 60, 1, 10)


def test_every_row_comes_once_over_all_pages(client: Client) -> None:
    rows = client.values(f"{API}/pullrequests", state="ALL", pagelen=7)

    assert sorted(row["id"] for row in rows) == list(range(1, 61))


def test_next_of_pipelines_forgets_sort(client: Client) -> None:
    first = client.get(f"{API}/pipelines", sort="-created_on").json()
    second = client.get(first["next"]).json()

    assert "sort" not in first["next"]
    assert [row["build_number"] for row in first["values"]] == list(range(30, 20, -1))
    assert [row["build_number"] for row in second["values"]] == list(range(11, 21))


def test_the_feed_has_an_opaque_cursor_and_no_size(client: Client, sandbox: Sandbox) -> None:
    body = client.get(FEED, pagelen=50).json()

    assert "size" not in body
    assert "page" not in body
    assert "ctx=" in body["next"]
    repository = sandbox.world.workspaces["acme"].repositories["api"]
    shown = [e for e in repository.feed if not (e.comment and e.comment.vanished)]
    assert len(client.values(FEED, pagelen=50)) == len(shown)


def test_the_feed_does_not_repeat_what_was_read_when_it_grows(
    client: Client, sandbox: Sandbox
) -> None:
    first = client.get(FEED, pagelen=50).json()
    sandbox.change.comment("acme", "api", 1)

    second = client.get(first["next"]).json()

    assert not [entry for entry in second["values"] if entry in first["values"]]


def test_the_feed_is_only_nearly_newest_first(client: Client) -> None:
    dates = [_date(entry) for entry in client.values(FEED, pagelen=50)]

    assert dates != sorted(dates, reverse=True)
    assert dates[0][:10] >= dates[-1][:10]


def _date(entry: dict[str, dict[str, str]]) -> str:
    comment = entry.get("comment")
    if comment:
        return comment["created_on"]
    rest = [part for name, part in entry.items() if name != "pull_request"]
    return rest[0]["date"]


def test_feed_entries_hold_exactly_one_thing_and_no_id(client: Client) -> None:
    kinds = set()
    for entry in client.values(FEED, pagelen=50):
        rest = entry.keys() - {"pull_request"}
        assert len(rest) == 1
        kinds |= rest

    assert kinds == {"update", "comment", "approval", "changes_requested"}


def test_a_cursor_may_die(client: Client, sandbox: Sandbox) -> None:
    first = client.get(FEED).json()
    sandbox.change.expire_cursors()

    assert client.get(first["next"]).status_code == 400
    assert client.get(FEED, ctx="nonsense").status_code == 400


def test_commits_are_iterated_by_an_opaque_page(client: Client, sandbox: Sandbox) -> None:
    body = client.get(f"{API}/commits", pagelen=5).json()

    assert "size" not in body
    assert not body["next"].rpartition("page=")[2].isdigit()
    hashes = [row["hash"] for row in client.values(f"{API}/commits", pagelen=40)]
    assert len(hashes) == len(set(hashes))
    dates = [row["date"] for row in client.values(f"{API}/commits", pagelen=40)]
    assert dates == sorted(dates, reverse=True)


def test_commits_between_two_points(client: Client, sandbox: Sandbox) -> None:
    old = sandbox.world.workspaces["acme"].repositories["api"].branches["main"]
    new = sandbox.change.push_main("acme", "api")

    found = client.values(f"{API}/commits", include=new, exclude=old)
    posted = client.post(f"{API}/commits", [("include", new), ("exclude", old)]).json()

    assert [row["hash"] for row in found] == [new]
    assert posted["values"] == found


def test_unknown_commits_are_named(client: Client) -> None:
    answer = client.get(f"{API}/commits", include="main", exclude=["f" * 40, "e" * 40])

    assert answer.status_code == 404
    assert answer.json()["error"]["data"]["shas"] == ["f" * 40, "e" * 40]


def test_commits_of_a_pull_request_without_branch_or_fork(client: Client, sandbox: Sandbox) -> None:
    path = f"{API}/pullrequests/20/commits"
    branch = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[20].source_branch
    assert client.get(path).json()["values"]

    sandbox.change.delete_branch("acme", "api", branch)
    assert client.get(path).json()["values"] == []
    sandbox.change.delete_fork("acme", "api", 20)
    assert client.get(path).status_code == 404
