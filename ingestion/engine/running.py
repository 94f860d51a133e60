"""Runs slices: in a worker one at a time, in the foreground one after the other to the end."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.models import Credential
from connections.models.credential import usable_credentials
from connections.services import states
from connections.services.entries import entry_for
from connections.transport.errors import InvalidCredentials, ProviderError
from connections.transport.ledger import Purpose
from ingestion.clock import database_now
from ingestion.engine import access, ending
from ingestion.engine.book import Book
from ingestion.engine.errors import Lost
from ingestion.engine.failures import Failures
from ingestion.engine.fence import Fence, claim, running
from ingestion.engine.plan import put_off
from ingestion.engine.pool import Member, Pool
from ingestion.engine.run import Run
from ingestion.engine.slice import Slice
from ingestion.models import UNFINISHED, State, Sync

log = structlog.get_logger(__name__)


def run_slice(sync_id: int, *, whatever_else_runs: bool = False) -> State | None:
    """Do a stretch of a sync, unless all slots are taken or another worker holds it.

    Returns the state in which the sync was left; None if it was not touched, or lost meanwhile.
    """
    if not whatever_else_runs and running(database_now()) >= settings.SYNC_SLOTS:
        Sync.objects.filter(pk=sync_id, state__in=UNFINISHED).update(dispatched_at=None)
        return None
    before = Sync.objects.filter(pk=sync_id).values_list("reason", "heartbeat_at", "created_at")
    found = before.first()
    fence = claim(sync_id)
    if fence is None or found is None:
        return None
    try:
        state = _work(fence, *found)
    except Lost:
        log.info("sync lost", sync=sync_id, attempt=fence.attempt)
        return None
    except (OperationalError, InterfaceError):
        raise  # the database's own trouble: once the lease is over, the sync is taken up again
    except Exception:
        # A defect of ours: whoever takes over would only meet it again.
        ending.give_up(fence)
        raise
    log.info("slice ended", sync=sync_id, state=state)
    return state


def run_to_end(sync_id: int, *, on_pause: Callable[[Sync], None] | None = None) -> Sync:
    """Run a sync in this process, through all its pauses. `on_pause` is told before each."""
    while True:
        run_slice(sync_id, whatever_else_runs=True)
        sync = Sync.objects.get(pk=sync_id)
        if sync.state not in UNFINISHED:
            return sync
        if on_pause:
            on_pause(sync)
        until = sync.resume_at or sync.lease_until or database_now()
        time.sleep(max(0.05, min(5.0, (until - database_now()).total_seconds())))


def _work(fence: Fence, reason: str, heartbeat_at: datetime | None, created_at: datetime) -> State:
    sync = Sync.objects.select_related("connection__organization").get(pk=fence.sync_id)
    run = Run(sync=sync, connection=sync.connection, book=Book(sync))
    run.book.load()
    waited = (run.clock.now() - (heartbeat_at or created_at)).total_seconds()
    sync.seconds["waiting"] = round(sync.seconds.get("waiting", 0) + max(0.0, waited), 3)
    waiting = put_off(run)
    if reason in (Sync.Reason.TURN, Sync.Reason.QUOTA):
        run.put_off = waiting
    else:  # their pause is over: each is tried again, in this slice or the next
        for place in waiting:
            run.book.run(place).state = State.RUNNING
    try:
        run.pool = pool_of(run)
    except ProviderError as error:
        return _not_entered(run, fence, error)
    return Slice(run, fence, Failures(run)).work()


def pool_of(run: Run) -> Pool:
    """Enter with every credential that works; what is refused is set aside while another works.

    Raises the last refusal where none is left.
    """
    kind, members = connector(run.connection.connector), list[Member]()
    refusal: ProviderError = InvalidCredentials(
        "This connection has no credential that works. Add one."
    )
    for credential in usable_credentials(run.connection):
        try:
            entry = _entry(run, credential)
        except ProviderError as error:
            states.note_failure(run.connection, error, credential=credential)
            refusal = error
        else:
            subject = kind.quota_subject(entry)
            members.append(Member(credential=credential, entry=entry, subject=subject))
    if not members:
        raise refusal
    pool = Pool(kind.key, members, run.clock)
    access.load(pool)
    return pool


def _entry(run: Run, credential: Credential) -> Entry:
    by_schedule = run.sync.trigger == Sync.Trigger.SCHEDULE
    return entry_for(credential, purpose=Purpose.SCHEDULE if by_schedule else Purpose.PERSON)


def _not_entered(run: Run, fence: Fence, error: ProviderError) -> State:
    if error.retryable and run.sync.retry_count < len(settings.SYNC_RETRY_DELAYS):
        at = ending.retry_at(run)
        return ending.wait(run, fence, Sync.Reason.RETRY, at, error.as_dict())
    return ending.finish(run, fence, error.as_dict())
