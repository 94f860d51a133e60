"""The tick: starts what is due, sends what waits, gives turns."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from connections.models import Connection
from ingestion.engine import fence
from ingestion.models import State, Sync
from ingestion.services import schedule
from tests.factories import ConnectionFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
HOURLY = {"kind": "every", "minutes": 60}


@pytest.fixture(autouse=True)
def _nobody_works(settings: Any) -> Iterator[None]:
    """Messages wait for a worker that does not come."""
    settings.SYNC_SLOTS = 2
    eager, current_app.conf.task_always_eager = current_app.conf.task_always_eager, False
    yield
    current_app.conf.task_always_eager = eager


def due_connection(**values: Any) -> Connection:
    given = {"schedule": HOURLY, "next_sync_at": now() - timedelta(seconds=1)}
    return ConnectionFactory.create(**(given | values))


def sync_of(connection: Connection, **values: Any) -> Sync:
    return Sync.objects.create(connection=connection, trigger="person", **values)


def sent() -> set[int]:
    return set(Sync.objects.exclude(dispatched_at=None).values_list("pk", flat=True))


def test_due_connection_is_synced_once_and_planned_again() -> None:
    connection = due_connection()

    schedule.tick()
    schedule.tick()

    sync = Sync.objects.get()
    assert (sync.trigger, sync.state) == ("schedule", "queued")
    assert sync.streams[0] == "repositories"
    assert [run.stream for run in sync.stream_runs.all()] == sync.streams
    assert {run.state for run in sync.stream_runs.all()} == {"queued"}
    assert sync.dispatched_at
    connection.refresh_from_db()
    assert connection.next_sync_at
    assert connection.next_sync_at > now() + timedelta(minutes=59)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "disabled"},
        {"status": "error"},
        {"status": "pending"},
        {"deleted_at": now()},
        {"next_sync_at": None},
        {"next_sync_at": now() + timedelta(hours=1)},
    ],
)
def test_what_is_not_due_is_not_synced(values: dict[str, Any]) -> None:
    due_connection(**values)

    schedule.tick()

    assert not Sync.objects.exists()


def test_busy_connection_is_left_alone() -> None:
    sync_of(due_connection(), state=State.WAITING, resume_at=now() + timedelta(hours=1))

    schedule.tick()

    assert Sync.objects.count() == 1


def test_only_so_many_slices_are_sent_as_there_are_slots() -> None:
    for _ in range(5):
        due_connection()

    schedule.tick()

    assert Sync.objects.count() == 5
    assert len(sent()) == 2


def test_lost_message_is_sent_again_after_thirty_seconds() -> None:
    sync = sync_of(ConnectionFactory.create(), dispatched_at=now() - timedelta(seconds=20))
    assert schedule.dispatch_due() == 0
    Sync.objects.update(dispatched_at=now() - timedelta(seconds=31))

    assert schedule.dispatch_due() == 1

    sync.refresh_from_db()
    assert sync.dispatched_at
    assert sync.dispatched_at > now() - timedelta(seconds=5)


def test_sync_that_lost_its_worker_is_sent_once_its_lease_has_ended() -> None:
    sync = sync_of(ConnectionFactory.create(), dispatched_at=now() - timedelta(seconds=2))
    assert fence.claim(sync.pk)
    assert schedule.dispatch_due() == 0
    Sync.objects.update(lease_until=now() - timedelta(seconds=1))

    assert schedule.dispatch_due() == 1
    assert schedule.dispatch_due() == 0


@pytest.mark.parametrize(
    "values",
    [
        {"state": State.RUNNING, "lease_until": now() + timedelta(hours=1)},
        {"state": State.WAITING, "resume_at": now() + timedelta(hours=1)},
        {"state": State.SUCCEEDED},
        {"state": State.CANCELLED},
    ],
)
def test_what_runs_or_waits_or_ended_is_not_sent(values: dict[str, Any]) -> None:
    sync_of(ConnectionFactory.create(), **values)

    assert schedule.dispatch_due() == 0


def test_turn_goes_to_the_organization_with_the_fewest_running() -> None:
    busy, idle = OrganizationFactory.create(), OrganizationFactory.create()
    running = {"state": State.RUNNING, "lease_until": now() + timedelta(hours=1)}
    sync_of(ConnectionFactory.create(organization=busy), **running)
    first = sync_of(ConnectionFactory.create(organization=busy))
    later = sync_of(ConnectionFactory.create(organization=idle))

    schedule.dispatch_due()

    assert sent() == {later.pk}
    assert first.pk not in sent()


def test_large_organization_takes_no_more_than_every_other_turn(settings: Any) -> None:
    settings.SYNC_SLOTS = 1
    large, small = OrganizationFactory.create(), OrganizationFactory.create()
    for _ in range(5):
        sync_of(ConnectionFactory.create(organization=large))
    one, alone = sync_of(ConnectionFactory.create(organization=small)), 4

    turns = [take_turn() for _ in range(2 * alone)]

    assert turns.count(one.pk) == alone
    assert len(set(turns)) == 1 + 4  # the others take theirs one after the other


def take_turn() -> int:
    """The sync whose turn it is; its slice gives way to those that wait."""
    schedule.dispatch_due()
    [chosen] = sent()
    assert fence.claim(chosen)
    Sync.objects.filter(pk=chosen).update(
        state=State.WAITING, reason=Sync.Reason.TURN, resume_at=now(), lease_until=None
    )
    return chosen


def test_sync_that_gives_way_does_not_get_its_own_turn_back(settings: Any) -> None:
    settings.SYNC_SLOTS = 1
    gives_way, queued = (sync_of(ConnectionFactory.create()) for _ in range(2))
    Sync.objects.filter(pk=gives_way.pk).update(
        state=State.WAITING, reason=Sync.Reason.TURN, resume_at=now()
    )
    Sync.objects.filter(pk=queued.pk).update(created_at=now() - timedelta(minutes=10))

    schedule.dispatch_due()

    assert sent() == {queued.pk}


def test_statements_of_a_tick_do_not_grow_with_what_is_due() -> None:
    def statements(count: int) -> int:
        for _ in range(count):
            due_connection()
        with CaptureQueriesContext(database) as queries:
            schedule.tick()
        return len(queries)

    statements(2)

    assert statements(40) <= (10 if database.vendor == "postgresql" else 16)  # SQLite in chunks


@pytest.mark.parametrize(
    ("hours", "less_often", "reads"),
    [
        (None, None, True),  # never yet
        (1, None, False),
        (23.9, None, False),
        (23.99, None, True),  # a tick may come early
        (1, 0, True),
        (1, 60, True),
        (30, 10080, False),
    ],
)
def test_people_are_read_as_often_as_the_schedule_says(
    hours: float | None, less_often: int | None, reads: bool
) -> None:
    begun = {} if hours is None else {"people": (now() - timedelta(hours=hours)).isoformat()}
    own = {} if less_often is None else {"less_often": {"people": less_often}}
    connection = due_connection(schedule=HOURLY | own, streams_read=begun)

    schedule.tick()

    sync = Sync.objects.get(connection=connection)
    assert ("people" in sync.streams) is reads
    assert {"repositories", "pull_requests", "pipelines"} < set(sync.streams)
    assert [run.stream for run in sync.stream_runs.all()] == sync.streams
    assert {run.state for run in sync.stream_runs.all()} == {"queued"}


def test_only_what_waits_is_left_out() -> None:
    selection = {"repositories": {"mode": "all"}, "streams": ["pipeline_steps"], "since": None}
    own = {"less_often": {"pipeline_steps": 1440}}
    begun = {"pipeline_steps": now().isoformat()}
    due_connection(schedule=HOURLY | own, streams_read=begun, selection=selection)

    schedule.tick()

    assert Sync.objects.get().streams == ["repositories", "pipelines"]
