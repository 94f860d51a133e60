"""Puts rows into a table by one upsert, which takes all of them as one JSON text.

As quick on PostgreSQL as COPY into a temporary table, in one statement instead of two, and with
half the work here; three times as quick as through the ORM. The text of the statement depends on
the table alone, so databases keep few of them: SQLite keeps a hundred, and one with a place for
each value of a thousand rows is megabytes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import orjson
from django.db import DataError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from ingestion.writer.tables import Table

Values = tuple[Any, ...]
REFUSALS = (DataError, IntegrityError, OverflowError)
SEEN = "seen_by"


class Written(NamedTuple):
    """A row that was created or changed: of which repository, and which of the two."""

    repository_id: int | None
    is_created: bool


@contextmanager
def prepared() -> Iterator[None]:
    """A database connection that batches are written through, outside of any transaction.

    Batches do not wait for the disk: a server that dies forgets the last of them together with
    their checkpoints, so they are read again.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        if connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("RESET synchronous_commit")


def upsert(
    table: Table, rows: Sequence[Values], *, replace: bool = True, seen_by: int | None = None
) -> list[Written]:
    """Create or replace rows; what does not differ is not touched. No key may come twice.

    Without `replace`, rows that are there already stay as they are. With `seen_by`, the id of a
    reading of everything, every row is marked as seen by it, changed or not, in the same statement.
    """
    if not rows:
        return []
    if connection.vendor == "postgresql":
        found = _send(table, rows, replace, seen_by)
    else:
        found = _insert(table, rows, replace, seen_by)
    if seen_by is not None:  # of those that are told, some were but marked
        moments = {plain(row[-1]) for row in rows}
        found = [row[:2] for row in found if plain(row[2]) in moments]
    return [Written(*row) for row in found]


def upsert_carefully(
    table: Table,
    rows: Sequence[Values],
    refused: Callable[[Values, str], None],
    *,
    replace: bool = True,
    seen_by: int | None = None,
) -> list[Written]:
    """As `upsert`; a row that the database refuses is found by halving and told to `refused`."""
    if not rows:
        return []
    try:
        with transaction.atomic():
            return upsert(table, rows, replace=replace, seen_by=seen_by)
    except REFUSALS as problem:
        if len(rows) == 1:
            refused(rows[0], _reason(problem))
            return []
    middle = len(rows) // 2
    return [
        *upsert_carefully(table, rows[:middle], refused, replace=replace, seen_by=seen_by),
        *upsert_carefully(table, rows[middle:], refused, replace=replace, seen_by=seen_by),
    ]


def _send(
    table: Table, rows: Sequence[Values], replace: bool, seen_by: int | None
) -> list[tuple[Any, ...]]:
    records = [_record(table, row) for row in rows]
    values: list[Any] = [orjson.dumps(records).decode()]
    with _binding_cursor() as cursor:
        statement = _statement(table, "postgresql", replace, seen_by is not None)
        cursor.execute(statement, values if seen_by is None else [seen_by, *values])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _binding_cursor() -> CursorWrapper:
    """A cursor that sends values beside the statement, where Django's writes them into it: the
    largest texts that a worker holds would be there twice more.
    """
    import psycopg  # megabytes, for those who use PostgreSQL

    connection.ensure_connection()
    raw: Any = psycopg.Cursor(connection.connection)
    is_logged = connection.queries_logged
    return connection.make_debug_cursor(raw) if is_logged else connection.make_cursor(raw)


def _record(table: Table, row: Values) -> dict[str, Any]:
    found = dict(zip(table.columns, row, strict=True))
    for name in table.nested:
        found[name] = orjson.Fragment(found[name])
    return found


def _insert(
    table: Table, rows: Sequence[Values], replace: bool, seen_by: int | None
) -> list[tuple[Any, ...]]:
    told = orjson.dumps(rows, default=plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
    values: list[Any] = [told.decode()]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table.name}")
        highest = cursor.fetchone()[0]
        statement = _statement(table, "sqlite", replace, seen_by is not None)
        cursor.execute(statement, values if seen_by is None else [seen_by, *values])
        return [(repository, key > highest, *rest) for repository, key, *rest in cursor.fetchall()]


def plain(value: Any) -> Any:
    """A value as SQLite keeps it: moments as Django writes them, in UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return value


@cache
def _statement(table: Table, vendor: str, replace: bool, marks: bool) -> str:
    """`marks`: each row is marked as seen, and is replaced only where it differs all the same."""
    columns = ", ".join(_quoted((*table.columns, SEEN) if marks else table.columns))
    repository = "repository_id" if table.repository_at is not None else "NULL"
    written = ', "changed_at"' if marks else ""
    if vendor == "postgresql":
        types = ", ".join(f'"{name}" {table.type_of(name)}' for name in table.columns)
        own = ", ".join(_quoted(table.columns)) + (", %s::bigint" if marks else "")
        source = f"SELECT {own} FROM json_to_recordset(%s::json) AS new ({types})"
        back = f"{repository}, (xmax = 0){written}"
    else:
        own = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(table.columns)))
        own += ", %s" if marks else ""
        source = f"SELECT {own} FROM json_each(%s) WHERE true"
        back = f"{repository}, id{written}"
    then = "NOTHING"
    if replace:
        condition = _condition(table, vendor)
        then = f"UPDATE SET {_changes(table)} WHERE {condition}"
        if marks:
            then = f"UPDATE SET {_changes(table, condition)}, {_marked(condition, vendor)}"
    return (
        f"INSERT INTO {table.name} AS old ({columns}) {source}"
        f" ON CONFLICT ({', '.join(_quoted(table.key))}) DO {then} RETURNING {back}"
    )


def _changes(table: Table, condition: str = "") -> str:
    changed = (*table.compared, *table.also, "changed_at")
    if not condition:
        return ", ".join(f'"{name}" = {_new(table, name)}' for name in changed)
    return ", ".join(
        f'"{name}" = CASE WHEN {condition} THEN {_new(table, name)} ELSE old."{name}" END'
        for name in changed
    )


def _marked(condition: str, vendor: str) -> str:
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    mark = f'"{SEEN}" = excluded."{SEEN}"'
    return f'{mark} WHERE old."{SEEN}" {differs} excluded."{SEEN}" OR ({condition})'


def _condition(table: Table, vendor: str) -> str:
    old = ", ".join(f'old."{name}"' for name in table.compared)
    new = ", ".join(_new(table, name) for name in table.compared)
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    guard = re.sub(r"\bnew\.", "excluded.", table.guard)
    return f"({old}) {differs} ({new})" + (f" AND {guard}" if guard else "")


def _new(table: Table, name: str) -> str:
    if name in table.kept:
        return f'COALESCE(excluded."{name}", old."{name}")'
    return f'excluded."{name}"'


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _reason(problem: BaseException) -> str:
    """What the database says, in its first line, without the row's own values."""
    return str(problem).partition("\n")[0][:300]
