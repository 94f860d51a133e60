"""Pauses, starts and workers meet at one connection: nobody waits for somebody who waits for him.

Locks on rows: PostgreSQL only.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from celery import current_app
from django.db import connection as database
from django.db import transaction

from connections.models import Connection
from connections.services.connections import delete_connection, disable_connection
from ingestion.engine import ending
from ingestion.engine.book import Book
from ingestion.engine.errors import Lost
from ingestion.engine.fence import Fence, claim
from ingestion.engine.run import Run
from ingestion.models import Coverage, State, StreamRun, Sync
from ingestion.services import schedule
from ingestion.services.syncs import ConnectionNotReady, start_sync
from tenants import access
from tenants.actor import Actor
from tests.factories import ConnectionFactory, CredentialFactory
from tests.ingestion.services.test_schedule import due_connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(database.vendor != "postgresql", reason="needs locks on rows"),
]

STOPS = [disable_connection, delete_connection]


@pytest.fixture(autouse=True)
def _nobody_works() -> Iterator[None]:
    """Messages wait for a worker that does not come."""
    eager, current_app.conf.task_always_eager = current_app.conf.task_always_eager, False
    yield
    current_app.conf.task_always_eager = eager


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as threads:
        yield threads


@pytest.fixture
def connection(transactional_db: None) -> Connection:
    made = ConnectionFactory.create()
    CredentialFactory.create(connection=made)
    return made


def started(connection: Connection) -> Sync:
    return start_sync(connection=connection, trigger=Sync.Trigger.PERSON, by=Actor.system())


def elsewhere(pool: ThreadPoolExecutor, work: Callable[..., Any], **arguments: Any) -> Future[Any]:
    """Do something in a thread, with a connection to the database of its own."""

    organization = Connection.objects.get().organization

    def run() -> Any:
        with closing(database), access.enter(organization):
            return work(**arguments)

    return pool.submit(run)


def wait_until_blocked(count: int) -> None:
    """Wait until so many others wait for a lock."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else one look per transaction
            cursor.execute(f"{statement} AND wait_event_type = 'Lock'")
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.02)
    raise TimeoutError(f"No {count} wait for a lock.")


def fence_of(sync: Sync) -> Fence:
    fence = claim(sync.pk)
    assert fence is not None
    return fence


@pytest.mark.parametrize("stop", STOPS)
def test_a_stop_and_a_batch_do_not_wait_for_each_other(
    connection: Connection, pool: ThreadPoolExecutor, stop: Callable[..., None]
) -> None:
    sync = started(connection)
    fence = fence_of(sync)

    with transaction.atomic():
        fence.hold()
        stopping = elsewhere(pool, stop, connection=connection, by=Actor.system())
        wait_until_blocked(1)
        Coverage.objects.create(connection=connection, stream="repositories")

    stopping.result(timeout=20)
    sync.refresh_from_db()
    assert sync.state == State.CANCELLED
    with pytest.raises(Lost):
        fence.hold()


@pytest.mark.parametrize("stop", STOPS)
def test_a_stop_and_the_end_of_a_sync_do_not_wait_for_each_other(
    connection: Connection, pool: ThreadPoolExecutor, stop: Callable[..., None]
) -> None:
    sync = started(connection)
    fence = fence_of(sync)
    run = Run(sync=Sync.objects.get(pk=sync.pk), connection=connection, book=Book(sync))
    run.book.load()

    with transaction.atomic():
        list(StreamRun.objects.select_for_update().filter(sync=sync))  # holds up the end
        ended = elsewhere(pool, ending.finish, run=run, fence=fence)
        wait_until_blocked(1)
        stopping = elsewhere(pool, stop, connection=connection, by=Actor.system())
        wait_until_blocked(2)

    assert ended.result(timeout=20) in (State.FAILED, State.PARTIAL)
    stopping.result(timeout=20)
    connection.refresh_from_db()
    assert connection.disabled_at or connection.deleted_at
    assert connection.next_sync_at is None


def test_nobody_starts_a_sync_while_its_connection_is_paused(
    connection: Connection, pool: ThreadPoolExecutor
) -> None:
    seen = Connection.objects.get(pk=connection.pk)

    with transaction.atomic():
        disable_connection(connection=connection, by=Actor.system())
        starting = elsewhere(pool, started, connection=seen)
        wait_until_blocked(1)

    with pytest.raises(ConnectionNotReady):
        starting.result(timeout=20)
    assert not Sync.objects.exists()


def test_the_tick_passes_by_a_connection_that_is_being_paused(pool: ThreadPoolExecutor) -> None:
    connection = due_connection()

    with transaction.atomic():
        disable_connection(connection=connection, by=Actor.system())
        assert elsewhere(pool, schedule.start_due).result(timeout=20) == 0

    assert schedule.start_due() == 0
    assert not Sync.objects.exists()
