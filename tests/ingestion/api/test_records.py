"""repositories.list, repositories.select, records.list, coverage.list, quota.list"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import PullRequest, Quota, QuotaBucket, Repository
from ingestion.selectors.tables import TABLES
from tests.connections.api.conftest import Script
from tests.factories import (
    ConnectionFactory,
    CoverageFactory,
    CredentialFactory,
    PersonFactory,
    PipelineRunFactory,
    PullRequestFactory,
    RepositoryFactory,
)

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


def of(connection: Connection, method: str) -> str:
    return f"connections/{connection.pk}/{method}"


@pytest.fixture
def repository(connection: Connection) -> Any:
    return RepositoryFactory.create(connection=connection, name="api", changed_at=LONG_AGO)


def walk(script: Script, connection: Connection, **query: Any) -> list[dict[str, Any]]:
    """All records, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        body = script.get(of(connection, "records.list"), **query).body
        found += body["records"]
        cursor = body["response_metadata"]["next_cursor"]
        if cursor is None:
            return found
        query["cursor"] = cursor


def test_records_come_in_the_order_of_their_changes(
    script: Script, connection: Connection, repository: Any
) -> None:
    made = [
        PullRequestFactory.create(repository=repository, changed_at=LONG_AGO + timedelta(hours=h))
        for h in (3, 1, 2, 2, 2)
    ]

    found = walk(script, connection, table="pull_requests", limit=2)

    expected = sorted(made, key=lambda row: (row.changed_at, row.pk))
    assert [row["id"] for row in found] == [row.pk for row in expected]


def test_a_record_has_every_column_but_ours(
    script: Script, connection: Connection, repository: Any
) -> None:
    author = PersonFactory.create(connection=connection, changed_at=LONG_AGO)
    made = PullRequestFactory.create(
        repository=repository,
        author=author,
        number=7,
        title="Cache tokens",
        changed_at=LONG_AGO,
        removed_at=LONG_AGO,
        created_on=LONG_AGO,
    )

    (row,) = walk(script, connection, table="pull_requests")

    assert row["id"] == made.pk
    assert row["repository_id"] == repository.pk
    assert row["author_id"] == author.pk
    assert row["number"] == 7
    assert row["removed_at"] == row["changed_at"] == "2026-11-01T00:00:00.000Z"
    assert not {"seen_by", "due_for", "organization_id", "organization"} & set(row)


def test_the_last_ten_seconds_are_held_back(
    script: Script, connection: Connection, repository: Any
) -> None:
    PullRequestFactory.create(repository=repository, changed_at=now())
    old = PullRequestFactory.create(repository=repository, changed_at=now() - timedelta(seconds=11))

    found = walk(script, connection, table="pull_requests")

    assert [row["id"] for row in found] == [old.pk]


def test_a_reader_goes_on_from_a_moment(
    script: Script, connection: Connection, repository: Any
) -> None:
    for hours in (1, 2, 3):
        PullRequestFactory.create(
            repository=repository, changed_at=LONG_AGO + timedelta(hours=hours)
        )

    found = walk(
        script, connection, table="pull_requests", changed_since="2026-11-01T02:00:00.000Z"
    )

    assert len(found) == 2


def test_who_remembers_the_last_cursor_misses_nothing(
    script: Script, connection: Connection, repository: Any
) -> None:
    for _ in range(3):
        PullRequestFactory.create(repository=repository, changed_at=LONG_AGO)
    body = script.get(of(connection, "records.list"), table="pull_requests", limit=2).body
    cursor = body["response_metadata"]["next_cursor"]
    late = PullRequestFactory.create(
        repository=repository, changed_at=now() - timedelta(seconds=30)
    )
    first = PullRequest.objects.get(pk=body["records"][0]["id"])
    PullRequest.objects.filter(pk=first.pk).update(changed_at=now() - timedelta(seconds=20))

    rest = walk(script, connection, table="pull_requests", cursor=cursor)

    assert [row["id"] for row in rest][1:] == [late.pk, first.pk]


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_can_be_read(
    script: Script, connection: Connection, repository: Any, table: str
) -> None:
    PipelineRunFactory.create(repository=repository, changed_at=LONG_AGO)

    answer = script.get(of(connection, "records.list"), table=table)

    assert answer.status == 200
    assert answer.body["table"] == table


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "table"),
        ({"table": "users"}, "table"),
        ({"table": "tenants_user"}, "table"),
        ({"table": "people", "changed_since": "yesterday"}, "changed_since"),
        ({"table": "people", "changed_since": "9999999"}, "changed_since"),
        ({"table": "people", "cursor": "x"}, "cursor"),
        ({"table": "people", "limit": 1000}, "limit"),
        ({"table": "people", "order": "id"}, "order"),
    ],
)
def test_what_does_not_fit_is_named(
    script: Script, connection: Connection, query: dict[str, Any], field: str
) -> None:
    answer = script.get(of(connection, "records.list"), **query)

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert field in answer.body["fields"]


def test_records_of_others_are_not_there(
    script: Script, connection: Connection, foreign: Connection
) -> None:
    theirs = RepositoryFactory.create(connection=foreign, changed_at=LONG_AGO)

    assert walk(script, connection, table="repositories") == []
    answer = script.get(of(foreign, "records.list"), table="repositories")
    assert answer.error == "connection_not_found"
    chosen = script.post(
        of(connection, "repositories.select"), {"ids": [theirs.pk], "selected": False}
    )
    assert (chosen.status, chosen.error) == (404, "repository_not_found")
    theirs.refresh_from_db()
    assert theirs.is_selected


def test_repositories_are_listed_and_selected(script: Script, connection: Connection) -> None:
    one, two = (RepositoryFactory.create(connection=connection) for _ in range(2))

    changed = script.post(
        of(connection, "repositories.select"), {"ids": [one.pk], "selected": False}
    )

    assert [row["selected"] for row in changed.body["repositories"]] == [False]
    body = script.get(of(connection, "repositories.list"), selected="true").body
    assert [row["id"] for row in body["repositories"]] == [two.pk]
    assert body["repositories"][0]["full_name"] == two.full_name
    assert "is_selected" not in body["repositories"][0]
    connection.refresh_from_db()
    assert connection.selection["repositories"] == {"mode": "chosen", "ids": [two.uuid]}


def test_a_selection_that_was_changed_is_listed_at_once(
    script: Script, connection: Connection
) -> None:
    one, _ = (RepositoryFactory.create(connection=connection) for _ in range(2))
    chosen = {"repositories": {"mode": "chosen", "ids": [one.uuid]}}

    script.post("connections.update", {"id": connection.pk, "selection": chosen})

    body = script.get(of(connection, "repositories.list"), selected="true").body
    assert [row["id"] for row in body["repositories"]] == [one.pk]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"ids": [], "selected": True}, "ids"),
        ({"ids": ["x"], "selected": True}, "ids"),
        ({"ids": [2**63], "selected": True}, "ids"),
        ({"ids": [True], "selected": True}, "ids"),
        ({"ids": list(range(1, 1002)), "selected": True}, "ids"),
        ({"ids": [1]}, "selected"),
        ({"ids": [1], "selected": "perhaps"}, "selected"),
        ({"ids": [1], "selected": True, "all": True}, "all"),
    ],
)
def test_a_selection_that_does_not_fit(
    script: Script, connection: Connection, body: dict[str, Any], field: str
) -> None:
    answer = script.post(of(connection, "repositories.select"), body)

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert any(name.startswith(field) for name in answer.body["fields"])
    assert not Repository.objects.exists()


def test_beneath_another_connection_the_choice_is_made_there(
    script: Script, connection: Connection
) -> None:
    row = RepositoryFactory.create(connection=connection)
    child = ConnectionFactory.create(
        organization=connection.organization, connector="bitbucket_pipelines", parent=connection
    )

    answer = script.post(of(child, "repositories.select"), {"ids": [row.pk], "selected": False})

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert f"“{connection.name}”, {connection.pk}" in answer.body["fields"]["ids"]


def test_coverage_says_up_to_where(script: Script, connection: Connection, repository: Any) -> None:
    CoverageFactory.create(
        repository=repository,
        complete_as_of=LONG_AGO,
        watermark=LONG_AGO,
        gap={"code": "x", "message": "A page is missing."},
    )

    body = script.get(of(connection, "coverage.list")).body

    assert body["coverage"] == [
        {
            "repository_id": repository.pk,
            "repository": "acme/api",
            "stream": "pull_requests",
            "complete_as_of": "2026-11-01T00:00:00.000Z",
            "watermark": "2026-11-01T00:00:00.000Z",
            "gap": {"code": "x", "message": "A page is missing."},
            "comparison": None,
        }
    ]


def test_coverage_of_a_stream_that_there_is_not_says_which_there_are(
    script: Script, connection: Connection
) -> None:
    answer = script.get(of(connection, "coverage.list"), stream="pull_request")

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert "pull_requests, " in answer.body["fields"]["stream"]


def test_quota_says_what_is_left_and_when_more_comes(
    script: Script, connection: Connection, foreign: Connection
) -> None:
    CredentialFactory.create(connection=foreign, quota_subject="theirs")
    quota = Quota.objects.create(subject="a-subject", limit=1000)
    QuotaBucket.objects.create(quota=quota, starts_at=now(), booked=1000)

    (row,) = script.get("quota.list").body["quota"]

    assert (row["limit"], row["used"], row["left"]) == (1000, 1000, 0)
    assert row["free_at"] is not None
    assert row["connection_id"] == connection.pk


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("records.list", {"table": "repositories"}),
        ("records.list", {"table": "people", "changed_since": "2026-01-01T00:00:00Z"}),
        ("repositories.list", {}),
    ],
)
def test_a_cursor_is_of_its_list_only(
    script: Script, connection: Connection, method: str, query: dict[str, str]
) -> None:
    PersonFactory.create_batch(2, connection=connection, changed_at=LONG_AGO)
    asked = {"table": "people", "limit": "1"}
    body = script.get(of(connection, "records.list"), **asked).body
    cursor = body["response_metadata"]["next_cursor"]

    same = script.get(of(connection, "records.list"), table="people", limit=100, cursor=cursor)
    other = script.get(of(connection, method), **query, cursor=cursor)

    assert len(same.body["records"]) == 1
    assert other.body["fields"] == {"cursor": "This cursor is not of this list."}


def test_a_cursor_is_of_its_connection_only(script: Script, connection: Connection) -> None:
    PersonFactory.create_batch(2, connection=connection, changed_at=LONG_AGO)
    other = ConnectionFactory.create(organization=connection.organization)
    asked = {"table": "people", "limit": "1"}
    body = script.get(of(connection, "records.list"), **asked).body

    cursor = body["response_metadata"]["next_cursor"]
    answer = script.get(of(other, "records.list"), **asked, cursor=cursor)

    assert answer.body["fields"] == {"cursor": "This cursor is not of this list."}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026-11-01T00:00:00Z", True),
        ("2026-11-01T01:00:00.5+01:00", True),
        ("2026-11-01T00:00:00", True),
        ("2026-W01-1T00:00:00Z", False),
        ("２０２６-11-01T00:00:00Z", False),
        ("2026-11-01", False),
        ("20261101T000000Z", False),
    ],
)
def test_changed_since_is_an_instant(
    script: Script, connection: Connection, text: str, fits: bool
) -> None:
    answer = script.get(of(connection, "records.list"), table="people", changed_since=text)

    assert (answer.status, "changed_since" in answer.body.get("fields", {})) == (
        (200, False) if fits else (422, True)
    )
