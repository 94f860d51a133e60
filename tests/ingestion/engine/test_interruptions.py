"""Killed, taken over, stopped: the rows end up as those of an undisturbed sync."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection as database

from connections.models import Connection
from ingestion import engine
from ingestion.engine import shutdown
from ingestion.engine.errors import Lost
from ingestion.engine.fence import claim
from ingestion.models import Coverage, Person, PullRequest, Repository, State, StreamRun, Sync
from ingestion.services.repositories import select_repositories
from ingestion.services.syncs import cancel_sync
from tenants.actor import Actor
from tests.factories import ConnectionFactory
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.ingestion.engine.rows import all_rows, count
from tests.ingestion.engine.working import wait_until, working_on, works
from tests.sandbox import Sandbox, Scale


class Killed(BaseException):
    """What stands for a kill -9: nothing of the process goes on."""


@contextmanager
def killed_at(transaction: int, *, written: bool = False) -> Iterator[None]:
    """Kill this process's work as its n-th transaction begins, or once its rows are written."""
    begun = 0

    def strike(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal begun
        begun += is_fence(sql)
        is_last = sql.startswith("UPDATE ingestion_streamrun")
        if begun == transaction and (is_last if written else is_fence(sql)):
            raise Killed
        return execute(sql, *rest)

    with database.execute_wrapper(strike):
        yield


def is_fence(sql: str) -> bool:
    """Whether a statement is the first of a transaction of the walk; a claim is none."""
    if not sql.startswith('UPDATE "ingestion_sync"'):
        return False
    changes, _, condition = sql.partition("WHERE")
    return "attempt" in condition and "attempt" not in changes


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=60, pipelines=120, people=12, same_instant=55)


@pytest.mark.parametrize("written", [False, True], ids=["after a commit", "before a commit"])
def test_killed_at_every_batch_the_rows_are_those_of_an_undisturbed_sync(
    copied: Copied, lose_lease: Callable[[Sync], None], written: bool
) -> None:
    sync, deaths = copied.choose(*EVERYTHING).start(), 0
    while sync.state not in (State.SUCCEEDED, State.PARTIAL, State.FAILED):
        # Each life gets to write one batch more: its plan, one batch, and dies in the next.
        with killed_at(3, written=written):
            try:
                engine.run_slice(sync.pk)
            except Killed:
                deaths += 1
        sync.refresh_from_db()
        lose_lease(sync)
        assert deaths < 200

    killed = all_rows()
    Repository.objects.all().delete()
    Person.objects.all().delete()
    Coverage.objects.all().delete()
    undisturbed = copied.sync()

    assert deaths > 3
    assert sync.state == undisturbed.state == State.SUCCEEDED
    assert killed == all_rows()


def test_worker_that_lost_its_sync_writes_nothing(
    copied: Copied, lose_lease: Callable[[Sync], None]
) -> None:
    sync = copied.start()
    first = claim(sync.pk)
    lose_lease(sync)
    second = claim(sync.pk)

    assert first
    assert second
    assert second.attempt == first.attempt + 1
    second.hold()
    with pytest.raises(Lost):
        first.hold()


def test_sync_is_claimed_once(copied: Copied) -> None:
    sync = copied.start()

    assert claim(sync.pk) is not None
    assert claim(sync.pk) is None


def test_worker_that_is_taken_over_in_the_middle_stops(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.latency = 0.05
    sync = copied.start()

    with working_on(sync):
        wait_until(lambda: count() > 20)
        Sync.objects.filter(pk=sync.pk).update(attempt=100)
        wait_until(lambda: not works(sync))
        rows, asked = count(), len(sandbox.requests)
        time.sleep(0.2)

    assert count() == rows
    assert len(sandbox.requests) == asked
    sync.refresh_from_db()
    assert (sync.state, sync.attempt) == (State.RUNNING, 100)


def test_cancelled_sync_stops_and_the_next_goes_on(copied: Copied, sandbox: Sandbox) -> None:
    undisturbed = 11
    sandbox.latency = 0.05
    sync = copied.start()

    with working_on(sync):
        wait_until(lambda: Coverage.objects.exclude(checkpoint=None).exists())
        assert cancel_sync(sync=sync, by=Actor.system())
        wait_until(lambda: not works(sync))
    sync.refresh_from_db()
    assert sync.state == State.CANCELLED
    assert sync.finished_at
    assert set(sync.stream_runs.values_list("state", flat=True)) <= {
        State.CANCELLED,
        State.SUCCEEDED,
    }
    sandbox.latency = 0

    following = copied.sync()

    assert following.state == State.SUCCEEDED
    assert following.requests > undisturbed
    assert not Coverage.objects.exclude(checkpoint=None).exists()


def test_slice_ends_after_its_batch_when_the_worker_is_asked_to_end(
    copied: Copied, sandbox: Sandbox
) -> None:
    sandbox.latency = 0.4
    sync = copied.start()

    with working_on(sync):
        wait_until(lambda: count() > 0)
        shutdown.ask()
        try:
            wait_until(lambda: not works(sync))
        finally:
            shutdown.forget()
    sync.refresh_from_db()

    assert (sync.state, sync.reason) == (State.WAITING, Sync.Reason.TURN)
    assert sync.lease_until is None
    sandbox.latency = 0
    assert engine.run_to_end(sync.pk).state == State.SUCCEEDED


def test_defect_ends_the_sync_and_is_raised(copied: Copied) -> None:
    sync = copied.start()

    def break_down(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "ingestion_pullrequest" in sql:
            raise ZeroDivisionError
        return execute(sql, *rest)

    with database.execute_wrapper(break_down), pytest.raises(ZeroDivisionError):
        engine.run_slice(sync.pk)
    sync.refresh_from_db()

    assert sync.state == State.FAILED
    assert sync.error
    assert sync.error["mended_by"] == "operator"
    assert not sync.stream_runs.filter(state=State.RUNNING).exists()
    assert copied.sync().state == State.SUCCEEDED


def test_finished_sync_cannot_be_cancelled(copied: Copied) -> None:
    sync = copied.sync()

    assert not cancel_sync(sync=sync, by=Actor.system())
    assert sync.state == State.SUCCEEDED


def test_paused_connection_stops_its_sync(copied: Copied) -> None:
    from connections.services.connections import disable_connection

    sync = copied.start()

    disable_connection(connection=copied.connection, by=Actor.system())

    sync.refresh_from_db()
    assert sync.state == State.CANCELLED
    assert engine.run_slice(sync.pk) is None
    assert StreamRun.objects.filter(sync=sync, state=State.CANCELLED).count() == 6


@pytest.mark.parametrize(
    ("seconds", "is_ours", "attempt", "state"),
    [
        (0, False, 1, State.WAITING),
        (1000, False, 0, State.WAITING),  # who never had a turn has it at once
        (1000, False, 1, State.SUCCEEDED),
        (1000, True, 0, State.SUCCEEDED),
    ],
)
def test_slice_gives_way_when_others_wait(
    copied: Copied,
    sandbox: Sandbox,
    settings: Any,
    seconds: int,
    is_ours: bool,
    attempt: int,
    state: State,
) -> None:
    settings.SYNC_SLOTS, settings.SYNC_SLICE = 1, seconds
    sandbox.latency = 0.3
    first = copied.start()
    of = {"organization": first.organization} if is_ours else {}
    second = ConnectionFactory.create(**of)
    other = Sync.objects.create(connection=second, trigger="person", streams=[], attempt=attempt)

    ended = engine.run_slice(first.pk)

    first.refresh_from_db()
    assert ended == state
    assert first.lease_until is None
    assert (first.reason == Sync.Reason.TURN) == (state == State.WAITING)
    Sync.objects.filter(pk=other.pk).delete()
    sandbox.latency = 0
    if state == State.WAITING:
        assert engine.run_to_end(first.pk).state == State.SUCCEEDED


def test_repository_that_is_left_out_while_all_are_listed_stays_out(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync(streams=["repositories"])
    web = Repository.objects.get(slug="web")
    sandbox.latency = 0.5
    sync = copied.start()

    with working_on(sync):
        begun = StreamRun.objects.filter(sync=sync, stream="repositories", state=State.RUNNING)
        wait_until(begun.exists)
        connection = Connection.objects.get(pk=copied.connection.pk)
        select_repositories(connection=connection, ids=[web.pk], selected=False, by=Actor.system())
        sandbox.latency = 0

    sync.refresh_from_db()
    assert sync.state == State.SUCCEEDED
    web.refresh_from_db()
    assert not web.is_selected
    assert not PullRequest.objects.filter(repository=web).exists()
