"""records.export: whole tables as files."""

import csv
import io
import json
from typing import Any

import pytest
from pyarrow import parquet

from connections.models import Connection
from tenants.models import ApiKey
from tenants.roles import Role
from tests.connections.api.conftest import Script
from tests.factories import PersonFactory, PullRequestFactory, RepositoryFactory

pytestmark = pytest.mark.django_db
FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"]


def export(script: Script, connection: Connection, **query: Any) -> Any:
    headers = {"Authorization": f"Bearer {script.key}", "Accept": "text/csv"}
    address = f"/api/connections/{connection.pk}/records.export"
    return script.client.get(address, query, headers=headers)


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_no_cell_is_taken_for_a_formula(script: Script, connection: Connection) -> None:
    for name in [*FORMULAS, "plain = 1"]:
        PersonFactory.create(connection=connection, name=name)

    answer = export(script, connection, table="people", format="csv")

    text = content(answer).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows] == [*(f"'{name}" for name in FORMULAS), "plain = 1"]
    assert {row["is_member"] for row in rows} <= {"true", "false"}
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="people.csv"'
    assert answer["X-RateLimit-Remaining"]
    assert answer["X-Request-Id"]


def test_json_lines_are_the_rows_of_the_list(script: Script, connection: Connection) -> None:
    RepositoryFactory.create_batch(3, connection=connection)
    listed = script.get(f"connections/{connection.pk}/records.list", table="repositories").body

    lines = content(export(script, connection, table="repositories", format="jsonl")).splitlines()

    assert len(lines) == 3
    assert all(row in [json.loads(line) for line in lines] for row in listed["records"])


def test_parquet_has_types(script: Script, connection: Connection) -> None:
    repository = RepositoryFactory.create(connection=connection)
    made = PullRequestFactory.create_batch(3, repository=repository, connection=connection)

    answer = export(script, connection, table="pull_requests", format="parquet")

    table = parquet.read_table(io.BytesIO(content(answer)))
    assert table.column("number").to_pylist() == [row.number for row in made]
    assert table.column("changed_at").to_pylist() == [row.changed_at for row in made]
    assert str(table.schema.field("is_draft").type) == "bool"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_rows_of_others_are_not_in_it(
    script: Script, connection: Connection, foreign: Connection, kind: str
) -> None:
    PersonFactory.create(connection=foreign, name="Stranger")

    assert b"Stranger" not in content(export(script, connection, table="people", format=kind))
    assert export(script, foreign, table="people", format=kind).status_code == 404


def test_what_does_not_fit(script: Script, connection: Connection) -> None:
    answer = export(script, connection, table="people", format="xls")

    assert answer.status_code == 422
    assert answer.json()["fields"] == {"format": "One of csv, jsonl, parquet."}


def test_a_key_of_a_viewer_reads_records_and_exports_none(
    script: Script, connection: Connection
) -> None:
    ApiKey.objects.update(role=Role.VIEWER)

    listed = script.get(f"connections/{connection.pk}/records.list", table="people")
    answer = export(script, connection, table="people", format="csv")

    assert listed.status == 200
    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
