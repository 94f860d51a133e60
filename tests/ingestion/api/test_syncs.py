"""syncs.start, syncs.list, syncs.info, syncs.cancel, syncs.fetchMissing"""

from datetime import UTC, datetime
from typing import Any

import pytest

from connections.models import Connection
from ingestion.models import State, Sync
from tests.connections.api.conftest import MakeScript, Script
from tests.factories import (
    ConnectionFactory,
    CoverageFactory,
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)

MOMENT = datetime(2026, 11, 22, 14, 2, 3, 456789, tzinfo=UTC)


def of(connection: Connection, method: str) -> str:
    return f"connections/{connection.pk}/{method}"


def test_start_answers_with_the_row(script: Script, connection: Connection) -> None:
    answer = script.post(of(connection, "syncs.start"), {"mode": "incremental"})

    assert answer.status == 202
    row = answer.body["sync"]
    assert (row["state"], row["trigger"], row["mode"]) == ("queued", "api", "incremental")
    assert [stream["stream"] for stream in row["streams"]][:2] == ["repositories", "people"]
    assert Sync.objects.get().pk == row["id"]


def test_start_of_a_stream_that_the_connection_has_not_says_so(
    script: Script, connection: Connection
) -> None:
    answer = script.post(of(connection, "syncs.start"), {"streams": ["pull_request"]})

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert answer.body["fields"] == {"streams": "This connection has no stream “pull_request”."}


def test_start_takes_streams_with_what_they_need(script: Script, connection: Connection) -> None:
    body = {"mode": "full", "streams": ["pull_request_comments"]}
    row = script.post(of(connection, "syncs.start"), body).body["sync"]

    assert row["mode"] == "full"
    streams = [stream["stream"] for stream in row["streams"]]
    assert streams == ["repositories", "pull_requests", "pull_request_comments"]


def test_comparison_is_started_told_and_what_is_missing_fetched(
    script: Script, connection: Connection
) -> None:
    row = script.post(of(connection, "syncs.start"), {"streams": ["comparison"]}).body["sync"]
    assert [stream["stream"] for stream in row["streams"]] == ["comparison"]
    Sync.objects.update(state=State.SUCCEEDED)
    told = {"at": MOMENT.isoformat(), "theirs": 9, "ours": 9, "twice": 0}
    coverage = CoverageFactory.create(
        connection=connection,
        repository__connection=connection,
        stream="pipelines",
        comparison=told,
    )
    nothing = script.post(of(connection, "syncs.fetchMissing"), {})
    assert (nothing.status, nothing.body["sync"]) == (202, None)

    coverage.comparison = {**told, "ours": 6}
    coverage.save()

    listed = script.get(of(connection, "coverage.list")).body["coverage"]
    assert listed[0]["comparison"] == {**told, "ours": 6, "at": "2026-11-22T14:02:03.456Z"}
    answer = script.post(of(connection, "syncs.fetchMissing"), {})
    assert answer.status == 202
    streams = [stream["stream"] for stream in answer.body["sync"]["streams"]]
    assert streams == ["repositories", "pipelines", "comparison"]


def test_a_second_start_names_the_first(script: Script, connection: Connection) -> None:
    first = script.post(of(connection, "syncs.start"), {}).body["sync"]

    answer = script.post(of(connection, "syncs.start"), {})

    assert (answer.status, answer.error) == (409, "sync_already_running")
    assert answer.body["sync_id"] == first["id"]


def test_a_connection_that_is_not_ready(script: Script, connection: Connection) -> None:
    Connection.objects.update(status=Connection.Status.PENDING)

    answer = script.post(of(connection, "syncs.start"), {})

    assert (answer.status, answer.error) == (409, "connection_not_ready")


def test_info_has_the_shape_of_the_contract(script: Script, connection: Connection) -> None:
    sync = SyncFactory.create(
        connection=connection,
        state=State.WAITING,
        reason="quota",
        resume_at=MOMENT,
        started_at=MOMENT,
        finished_at=None,
        streams=["pull_requests"],
        counts={"read": 5, "created": 2},
        requests=7,
    )
    StreamRunFactory.create(
        sync=sync, state=State.WAITING, read=5, created=2, expected=10, requests=7
    )
    CoverageFactory.create(
        repository=RepositoryFactory.create(connection=connection), complete_as_of=MOMENT
    )

    answer = script.get(of(connection, f"syncs.info/{sync.pk}"))

    counts = {"read": 5, "created": 2, "updated": 0, "unchanged": 0, "removed": 0}
    assert answer.body["sync"] == {
        "id": sync.pk,
        "connection_id": connection.pk,
        "trigger": "schedule",
        "mode": "incremental",
        "state": "waiting",
        "reason": "quota",
        "resume_at": "2026-11-22T14:02:03.456Z",
        "started_at": "2026-11-22T14:02:03.456Z",
        "finished_at": None,
        "heartbeat_at": None,
        "progress": 0.5,
        "counts": counts,
        "requests": 7,
        "error": None,
        "streams": [
            {
                "stream": "pull_requests",
                "state": "waiting",
                "progress": 0.5,
                **counts,
                "requests": 7,
                "complete_as_of": "2026-11-22T14:02:03.456Z",
                "error": None,
            }
        ],
    }


def test_lists_go_page_by_page_the_newest_first(script: Script, connection: Connection) -> None:
    made = [SyncFactory.create(connection=connection).pk for _ in range(5)]
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        body = script.get(of(connection, "syncs.list"), limit=2, **cursor).body
        seen += [row["id"] for row in body["syncs"]]
        SyncFactory.create(connection=connection)  # what comes meanwhile moves nothing
        if body["response_metadata"]["next_cursor"] is None:
            break
        cursor = {"cursor": body["response_metadata"]["next_cursor"]}

    assert seen == made[::-1]


def test_lists_narrow_by_state(script: Script, connection: Connection) -> None:
    SyncFactory.create(connection=connection)
    failed = SyncFactory.create(connection=connection, state=State.FAILED)

    body = script.get(of(connection, "syncs.list"), state="failed").body

    assert [row["id"] for row in body["syncs"]] == [failed.pk]


def test_cancel_stops_and_a_second_time_changes_nothing(
    script: Script, connection: Connection
) -> None:
    started = script.post(of(connection, "syncs.start"), {}).body["sync"]

    first = script.post(of(connection, "syncs.cancel"), {"id": started["id"]})
    second = script.post(of(connection, "syncs.cancel"), {"id": started["id"]})

    assert first.body["sync"]["state"] == second.body["sync"]["state"] == "cancelled"


BAD = [
    ("start", {"mode": "fast"}, "mode"),
    ("start", {"mode": None}, "mode"),
    ("start", {"mode": ["full"]}, "mode"),
    ("start", {"streams": "pull_requests"}, "streams"),
    ("start", {"streams": []}, "streams"),
    ("start", {"streams": [5]}, "streams.0"),
    ("start", {"streams": ["deployments"]}, "streams"),
    ("start", {"streams": ["x" * 500]}, "streams.0"),
    ("start", {"fast": True}, "fast"),
    ("cancel", {}, "id"),
    ("cancel", {"id": "x"}, "id"),
    ("cancel", {"id": 2**63}, "id"),
    ("cancel", {"id": -1}, "id"),
    ("cancel", {"id": True}, "id"),
    ("cancel", {"id": 1.5}, "id"),
    ("cancel", {"id": [1]}, "id"),
]


@pytest.mark.parametrize(("verb", "body", "field"), BAD)
def test_what_does_not_fit_is_named(
    script: Script, connection: Connection, verb: str, body: dict[str, Any], field: str
) -> None:
    answer = script.post(of(connection, f"syncs.{verb}"), body)

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert any(name.startswith(field) for name in answer.body["fields"])
    assert not Sync.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"cursor": "nonsense"},
        {"cursor": "\x00"},
        {"state": "asleep"},
        {"more": 1},
    ],
)
def test_lists_refuse_what_does_not_fit(
    script: Script, connection: Connection, query: dict[str, Any]
) -> None:
    answer = script.get(of(connection, "syncs.list"), **query)

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert set(answer.body["fields"]) == set(query)


@pytest.mark.parametrize("body", ["", "{", "[]", "nonsense", b"\xff\xfe", '{"mode": "\\u0000"}'])
def test_bodies_that_are_no_objects(script: Script, connection: Connection, body: Any) -> None:
    answer = script.post(of(connection, "syncs.start"), body)

    assert 400 <= answer.status < 500 or (body == "" and answer.status == 202)


def test_rows_of_others_answer_as_if_there_were_none(
    script: Script, connection: Connection, foreign: Connection
) -> None:
    theirs = SyncFactory.create(connection=foreign, state=State.RUNNING, finished_at=None)

    for pk in (foreign.pk, 2**62, 10**30, "abc", -1):
        assert script.post(f"connections/{pk}/syncs.start", {}).error == "connection_not_found"
        assert script.get(f"connections/{pk}/syncs.list").error == "connection_not_found"
        assert script.get(f"connections/{pk}/coverage.list").error == "connection_not_found"
    for pk in (theirs.pk, 10**30, "abc"):
        assert script.get(of(connection, f"syncs.info/{pk}")).error == "sync_not_found"
    cancelled = script.post(of(connection, "syncs.cancel"), {"id": theirs.pk})
    assert (cancelled.status, cancelled.error) == (404, "sync_not_found")
    theirs.refresh_from_db()
    assert theirs.state == State.RUNNING


def test_a_sync_of_a_sibling_is_not_there(script: Script, connection: Connection) -> None:
    sibling = ConnectionFactory.create(organization=connection.organization)
    sync = SyncFactory.create(connection=sibling, state=State.RUNNING, finished_at=None)

    assert script.get(of(connection, f"syncs.info/{sync.pk}")).error == "sync_not_found"
    cancelled = script.post(of(connection, "syncs.cancel"), {"id": sync.pk})
    assert (cancelled.status, cancelled.error) == (404, "sync_not_found")


@pytest.mark.parametrize(
    ("verb", "scope"),
    [
        ("syncs.start", "syncs:write"),
        ("syncs.cancel", "syncs:write"),
        ("syncs.list", "syncs:read"),
        ("coverage.list", "syncs:read"),
        ("repositories.list", "records:read"),
        ("repositories.select", "connections:write"),
        ("records.list", "records:read"),
    ],
)
def test_each_method_needs_its_scope(
    script_of: MakeScript, connection: Connection, verb: str, scope: str
) -> None:
    others = ["connections:read", "credentials:read", "credentials:write", "audit:read"]
    script = script_of(connection.organization, others)
    is_write = not verb.endswith(".list")
    method = of(connection, verb)

    answer = script.post(method, {}) if is_write else script.get(method)

    assert (answer.status, answer.error) == (403, "missing_scope")
    assert scope in answer.body["message"]


def test_the_number_of_statements_does_not_grow(
    script: Script, connection: Connection, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        StreamRunFactory.create(sync=SyncFactory.create(connection=connection))

    with django_assert_max_num_queries(8):
        body = script.get(of(connection, "syncs.list")).body

    assert len(body["syncs"]) == 30


def test_a_sync_that_ended_shows_how_complete_it_was(
    script: Script, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, streams=["pull_requests"])
    StreamRunFactory.create(sync=sync, complete_as_of=MOMENT)
    CoverageFactory.create(repository=RepositoryFactory.create(connection=connection))

    row = script.get(of(connection, f"syncs.info/{sync.pk}")).body["sync"]

    assert row["streams"][0]["complete_as_of"] == "2026-11-22T14:02:03.456Z"
