"""q, sort, state and fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.bbql import BadQuery, Compare, parse, predicate
from tests.test_sandbox.client import API, Client

PULL_REQUESTS = f"{API}/pullrequests"
ALL = 'state IN ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")'
FIELDS = {"id": lambda row: row["id"], "name": lambda row: row["name"]}


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("id > 2", [3, 4]),
        ("id >= 2 AND id < 4", [2, 3]),
        ('name = "one" OR name ~ "OU"', [1, 4]),
        ('id IN (1, 3) AND NOT_ = "x"', None),
        ("id NOT IN (1, 3)", [2, 4]),
        ('(id = 1 OR id = 2) AND name != "one"', [2]),
        ("name = null", [3]),
        ('name !~ "o"', [3]),
        ('name = "say \\"two\\""', [2]),
    ],
)
def test_the_language(query: str, found: list[int] | None) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "name": "one"},
        {"id": 2, "name": 'say "two"'},
        {"id": 3, "name": None},
        {"id": 4, "name": "four"},
    ]
    if found is None:
        with pytest.raises(BadQuery):
            predicate(parse(query), FIELDS)
        return

    keep = predicate(parse(query), FIELDS)

    assert ids([row for row in rows if keep(row)]) == found


def test_a_date_without_offset_is_utc() -> None:
    expected = Compare("updated_on", ">=", datetime(2026, 3, 1, 12, tzinfo=UTC))

    assert parse("updated_on >= 2026-03-01T12:00:00") == expected
    assert parse("updated_on >= 2026-03-01T13:00:00+01:00") == expected


@pytest.mark.parametrize(
    "query",
    ["id >", "id", "> 3", "id = 1 AND", "(id = 1", "id = 1)", "id = 1 id = 2", "id ! 3",
     "updated_on >= yesterday", "updated_on >= 2026-13-01", 'updated_on >= "2026-01-01"',
     "summary.raw ~ \"x\"", "id IN ()", "title = 'single'", "updated_on >= 5"],
)  # fmt: skip
def test_what_cannot_be_read_is_400(client: Client, query: str) -> None:
    answer = client.get(PULL_REQUESTS, q=query)

    assert answer.status_code == 400
    assert answer.json()["type"] == "error"


def test_state_defaults_to_open_and_repeats(client: Client) -> None:
    assert {row["state"] for row in client.values(PULL_REQUESTS)} == {"OPEN"}
    found = client.values(PULL_REQUESTS, state=["MERGED", "DECLINED"])
    assert {row["state"] for row in found} == {"MERGED", "DECLINED"}


def test_q_overrides_state(client: Client) -> None:
    found = client.values(PULL_REQUESTS, state="OPEN", q='state = "DECLINED"')

    assert {row["state"] for row in found} == {"DECLINED"}


def test_ascending_by_update_from_a_moment_on(client: Client, sandbox: Sandbox) -> None:
    truth = sandbox.world.workspaces["acme"].repositories["api"].pull_requests.values()
    moment = sorted(one.updated_on for one in truth)[20]
    query = f"updated_on >= {moment.isoformat()} AND {ALL}"

    found = client.values(PULL_REQUESTS, q=query, sort="updated_on", pagelen=50)

    assert sorted(ids(found)) == sorted(one.id for one in truth if one.updated_on >= moment)
    assert [row["updated_on"] for row in found] == sorted(row["updated_on"] for row in found)


def test_one_instant_can_be_drained_by_id(client: Client, sandbox: Sandbox) -> None:
    moment = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[7].updated_on
    query = f"updated_on = {moment.isoformat()} AND {ALL}"

    everything = client.values(PULL_REQUESTS, q=query, sort="updated_on")
    rest = client.values(PULL_REQUESTS, q=f"{query} AND id > 7", sort="id")

    assert ids(everything) == [9, 8, 7]
    assert ids(rest) == [8, 9]


def test_comments_can_be_filtered_by_update(client: Client, sandbox: Sandbox) -> None:
    before = sandbox.clock.now().isoformat().replace("+00:00", "Z")
    said = sandbox.change.comment("acme", "api", 2, raw="new")

    found = client.values(f"{PULL_REQUESTS}/2/comments", q=f"updated_on > {before}")

    assert ids(found) == [said.id]


def test_q_is_ignored_on_pipelines_and_the_feed(client: Client) -> None:
    assert client.get(f"{API}/pipelines", q="nonsense (").json()["size"] == 30
    assert client.get(f"{PULL_REQUESTS}/activity", q="nonsense (").status_code == 200


def test_people_only_when_asked_for_with_an_encoded_plus(client: Client) -> None:
    wanted = "+values.participants,+values.reviewers"
    plain = client.get(PULL_REQUESTS).json()["values"][0]
    asked = client.get(PULL_REQUESTS, fields=wanted).json()["values"][0]
    unencoded = client.get(f"{PULL_REQUESTS}?fields={wanted}").json()["values"][0]

    assert "participants" not in plain
    assert asked["participants"]
    assert asked["reviewers"]
    assert unencoded == {}


def test_fields_exclude_and_list(client: Client) -> None:
    without = client.get(PULL_REQUESTS, fields="-values.links").json()
    only = client.get(PULL_REQUESTS, fields="values.id").json()

    assert "links" not in without["values"][0]
    assert "next" in without
    assert only.keys() == {"values"}
    assert only["values"][0].keys() == {"id"}


def test_sorting_by_an_unknown_field_is_400(client: Client) -> None:
    assert client.get(PULL_REQUESTS, sort="weight").status_code == 400
