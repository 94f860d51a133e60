"""How a slice lets go of its sync: waiting for something, or at its end."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from connections.connectors import connector
from connections.models import Connection
from connections.services.locks import hold
from connections.services.schedules import own_intervals, run_after
from ingestion.engine.fence import Fence
from ingestion.engine.rejections import rejected_rows
from ingestion.engine.run import FOLLOWERS, Run
from ingestion.models import COMPARISON, UNFINISHED, WHOLE, State, StreamRun, Sync
from ingestion.selectors.coverage import coverage_by_stream
from ingestion.services.uses import note_uses
from ingestion.writer.batch import Place

DEFECT = {
    "code": "internal_error",
    "message": "Tributary met an error of its own. The operator finds it in the worker's log.",
    "retryable": True,
    "mended_by": "operator",
}
UNFINISHED_STREAM = {
    "code": "not_finished",
    "message": "This was not read to its end. The next sync goes on here.",
    "retryable": True,
    "mended_by": "time",
}


def wait(
    run: Run,
    fence: Fence,
    reason: Sync.Reason,
    until: datetime,
    error: dict[str, Any] | None = None,
) -> State:
    """Put the sync back until a moment; it holds no worker meanwhile."""
    retries = run.sync.retry_count + (reason == Sync.Reason.RETRY)
    with transaction.atomic():
        fence.hold()
        run.book.save()
        _let_go(
            run,
            state=State.WAITING,
            reason=reason,
            resume_at=until,
            dispatched_at=None,
            error=error,
            retry_count=retries,
        )
    return State.WAITING


def retry_at(run: Run) -> datetime:
    """When the next try is due after trouble at Bitbucket."""
    delay = settings.SYNC_RETRY_DELAYS[run.sync.retry_count]
    return run.clock.now() + timedelta(seconds=delay)


def finish(run: Run, fence: Fence, error: dict[str, Any] | None = None) -> State:
    """End the sync as its streams ended. An error is of the whole sync and ends it as failed."""
    now = run.clock.now()
    with transaction.atomic():
        connection = hold(run.connection.pk)
        fence.hold()
        states = {row.stream: _finish_stream(run, row, now, error) for row in run.book.streams()}
        for stream, ended_as in states.items():
            _finish_rest(run, stream, now, State.FAILED if error else ended_as)
        run.book.save()
        _keep_coverage(run)
        state = _state_of(states)
        _let_go(
            run,
            state=state,
            reason=Sync.Reason.NONE,
            resume_at=None,
            finished_at=now,
            error=error or _first_error(run),
        )
        _note_on_connection(connection, state, now, run.sync, states)
        note_uses(run.sync.pk)
    return state


def give_up(fence: Fence) -> None:
    """End a sync that met a defect, so that no worker meets it again and again."""
    with transaction.atomic():
        held = Sync.objects.filter(
            pk=fence.sync_id, attempt=fence.attempt, state=State.RUNNING
        ).update(state=State.FAILED, finished_at=Now(), lease_until=None, error=DEFECT)
        if held:
            StreamRun.objects.filter(sync_id=fence.sync_id, state__in=UNFINISHED).update(
                state=State.FAILED, finished_at=Now(), error=DEFECT
            )
            note_uses(fence.sync_id)


def _keep_coverage(run: Run) -> None:
    """How complete each stream is now: later syncs change the coverage, not this one's report."""
    rows = StreamRun.objects.filter(sync=run.sync, repository=None)
    for found in coverage_by_stream(run.connection):
        rows.filter(stream=found.stream).update(complete_as_of=found.complete_as_of)


def _let_go(run: Run, **changes: Any) -> None:
    Sync.objects.filter(pk=run.sync.pk).update(
        lease_until=None,
        counts=run.book.totals(),
        requests=run.book.requests(),
        seconds=run.sync.seconds,
        uses=run.uses,
        **changes,
    )


def _finish_stream(run: Run, row: StreamRun, now: datetime, error: dict[str, Any] | None) -> State:
    place = Place(row.stream, None)
    row = run.book.run(place)
    failed = [one for one in run.book.runs(row.stream) if one.state == State.FAILED]
    if row.error is None and not failed and not _is_done(run, row):
        row.error = error or _cause(run) or run.book.gap_of(row.stream) or UNFINISHED_STREAM
    if row.error or failed:
        is_partly_here = run.has_ended(place) or run.book.ended_well(row.stream)
        row.state = State.PARTIAL if is_partly_here else State.FAILED
        row.error = row.error or failed[0].error
    elif row.rejected:
        row.state, row.error = State.PARTIAL, rejected_rows(row.rejected)
    else:
        row.state = State.SUCCEEDED
    row.started_at = row.started_at or now
    row.finished_at = now
    return State(row.state)


def _finish_rest(run: Run, stream: str, now: datetime, otherwise: State) -> None:
    """End the rows of repositories that no visit of their own ended: the feed brought it all."""
    for row in run.book.runs(stream):
        if row.state in UNFINISHED:
            place = Place(stream, row.repository_id)
            row = run.book.run(place)
            if run.book.has_ended_well(place):
                row.state = State.PARTIAL if row.rejected else State.SUCCEEDED
            else:
                row.state = otherwise
            row.finished_at = now


def _cause(run: Run) -> dict[str, Any] | None:
    """The error of what a stream that did not come to its end needs."""
    needed = ("repositories", *FOLLOWERS)
    rows = (row for row in run.book.streams() if row.stream in needed)
    return next((row.error for row in rows if row.error), None)


def _is_done(run: Run, row: StreamRun) -> bool:
    if row.stream in WHOLE:
        return run.has_ended(Place(row.stream, None))
    return row.total is not None and run.book.ended_well(row.stream) >= row.total


def _state_of(states: dict[str, State]) -> State:
    """The state of a sync by those of its streams; without its repositories nothing is right."""
    if all(state == State.SUCCEEDED for state in states.values()):
        return State.SUCCEEDED
    return State.FAILED if states.get("repositories") == State.FAILED else State.PARTIAL


def _first_error(run: Run) -> dict[str, Any] | None:
    return next((row.error for row in run.book.streams() if row.error), None)


def _note_on_connection(
    connection: Connection, state: State, now: datetime, sync: Sync, states: dict[str, State]
) -> None:
    """What was planned stays planned; what passed meanwhile is left out."""
    changes: dict[str, Any] = {"next_sync_at": run_after(connection, now)}
    if COMPARISON not in sync.streams:  # it reads nothing, or of some repositories alone
        kept = {key: when for key, when in connection.streams_read.items() if key not in states}
        own = own_intervals(connection.schedule, connector(connection.connector))
        read = [key for key in own if states.get(key) == State.SUCCEEDED]
        changes["streams_read"] = kept | dict.fromkeys(read, sync.created_at.isoformat())
        if state in (State.SUCCEEDED, State.PARTIAL):
            changes["last_synced_at"] = now
    Connection.objects.filter(pk=connection.pk).update(**changes)
