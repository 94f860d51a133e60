"""Lists that change while they are read: what stays is met once, whatever comes and goes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils.timezone import now

from connections.models import Connection
from ingestion.clock import settled_until
from tenants.actor import Actor
from tenants.services import audit
from tests.connections.api.conftest import Script
from tests.factories import (
    ConnectionFactory,
    CoverageFactory,
    CredentialFactory,
    PersonFactory,
    RepositoryFactory,
    SyncFactory,
)

pytestmark = pytest.mark.django_db
Make = Callable[[Connection, int], Any]


def event(connection: Connection, number: int) -> Any:
    return audit.record(
        organization=connection.organization_id,
        event_type="connections.updated",
        by=Actor.system(),
        target={"type": "connection", "id": number, "name": "any"},
    )


def softly(row: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(deleted_at=now())


def whole(row: Any) -> None:
    type(row).objects.filter(pk=row.pk).delete()


@dataclass(frozen=True, kw_only=True)
class List:
    """A list: what makes a row of it, what takes one away, and how an answer names one."""

    rows: str
    make: Make
    remove: Callable[[Any], None] | None = whole
    named: Callable[[dict[str, Any]], Any] = lambda row: row["id"]
    of: Callable[[Any], Any] = lambda row: row.pk
    query: dict[str, str] = field(default_factory=dict)


def at(minutes: int) -> Any:
    return now() - timedelta(days=1) + timedelta(minutes=minutes)


LISTS = {
    "connections.list": List(
        rows="connections",
        make=lambda one, n: ConnectionFactory.create(
            organization=one.organization, name=f"Name {n:03d}"
        ),
        remove=softly,
    ),
    "connections/{}/credentials.list": List(
        rows="credentials",
        make=lambda one, _: CredentialFactory.create(connection=one, secrets=None),
        remove=softly,
    ),
    "connections/{}/syncs.list": List(
        rows="syncs", make=lambda one, _: SyncFactory.create(connection=one, state="succeeded")
    ),
    "connections/{}/repositories.list": List(
        rows="repositories",
        make=lambda one, n: RepositoryFactory.create(connection=one, name=f"repository-{n:03d}"),
    ),
    "connections/{}/coverage.list": List(
        rows="coverage",
        make=lambda one, n: CoverageFactory.create(
            connection=one,
            repository=RepositoryFactory.create(connection=one, name=f"repository-{n:03d}"),
            stream="commits",
        ),
        named=lambda row: row["repository_id"],
        of=lambda row: row.repository_id,
    ),
    "connections/{}/records.list": List(
        rows="records",
        make=lambda one, n: PersonFactory.create(connection=one, changed_at=at(n // 20)),
        query={"table": "people"},
    ),
    "auditLogs.list": List(
        rows="audit_logs",
        make=event,
        remove=None,  # the database refuses it
        named=lambda row: row["target"]["id"],
        of=lambda row: row.target["id"],
        query={"event_type": "connections.updated"},
    ),
}


@pytest.mark.skipif(database.vendor != "postgresql", reason="needs several writers")
@pytest.mark.django_db(transaction=True)
def test_what_is_still_being_written_holds_back_what_is_newer() -> None:
    """A worker that stands still inside a transaction commits rows of a moment long past."""
    other = database.copy()
    with other.cursor() as writer:
        writer.execute("BEGIN")
        writer.execute("SELECT clock_timestamp(), pg_current_xact_id()")
        (begun, _) = writer.fetchone()
        while_it_writes = settled_until(timedelta(0))
        writer.execute("COMMIT")
    other.close()

    assert while_it_writes <= begun < settled_until(timedelta(0))


@pytest.mark.usefixtures("entered")
@pytest.mark.parametrize("address", LISTS)
def test_it_neither_skips_nor_repeats(script: Script, connection: Connection, address: str) -> None:
    """After the first pages the last row that was read goes, one that is still to come goes, and
    rows come before, between and behind.
    """
    one = LISTS[address]
    rows = {one.of(row): row for row in (one.make(connection, n) for n in range(20, 100, 10))}
    expected, found = set(rows), list[Any]()
    query: dict[str, Any] = {**one.query, "limit": 3}
    for page in range(10):
        body = script.get(address.format(connection.pk), **query).body
        found += [one.named(row) for row in body[one.rows]]
        query["cursor"] = body["response_metadata"]["next_cursor"]
        if query["cursor"] is None:
            break
        if page > 1:
            continue  # new rows may all come behind: a list that grows for ever has no end
        for number in (len(found), 50 + len(found), 200 + len(found)):
            one.make(connection, number)
        to_come = [name for name in rows if name not in found]
        for gone in (found[-1], to_come[0]):
            if one.remove is not None and gone in rows:
                one.remove(rows[gone])
                expected -= set() if gone in found else {gone}

    assert query["cursor"] is None
    assert len(found) == len(set(found))
    assert expected <= set(found)
