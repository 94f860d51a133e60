"""What a sync does, in words: headline, state, what it waits for, what it saved."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.timezone import now

from ingestion.models import COMPARISON, State, StreamRun, Sync
from ingestion.selectors.streams import stream_label
from ingestion.words.counted import clock, counted
from ingestion.words.progress import expected_in_all, read_in_all

DETAIL_STREAMS = {"pull_request_activity", "pull_request_comments"}
READ = {State.SUCCEEDED, State.PARTIAL}
SILENCE = timedelta(seconds=60)


def headline(sync: Sync, streams: Sequence[StreamRun], failed: int = 0) -> str:
    """The sentence at the top of a sync's page."""
    if sync.state == State.RUNNING:
        return _reading(sync, streams)
    if sync.state == State.WAITING:
        return f"{state_label(sync)}: {waits_for(sync)}"
    if sync.state == State.QUEUED:
        return "About to start"
    if sync.state == State.PARTIAL:
        return f"{incomplete(streams, failed)} could not be read"
    return ENDINGS[State(sync.state)](sync)


def _reading(sync: Sync, streams: Sequence[StreamRun]) -> str:
    row = current_stream(streams)
    if row is None:
        return "Looking at what is new"
    if row.stream == COMPARISON:
        return f"Comparing with Bitbucket: {row.done:,} of {row.total or 0:,} repositories"
    label = stream_label(sync.connection.connector, row.stream).lower()
    expected, read = expected_in_all(row), read_in_all(row)
    if expected >= read > 0:
        return f"Reading {label}: {read:,} of about {expected:,}"
    return f"Reading {label}: {read:,}" if read else f"Reading {label}"


def current_stream(streams: Sequence[StreamRun]) -> StreamRun | None:
    """The stream that is read now; of several, the one with most to do."""
    running = [row for row in streams if row.state == State.RUNNING]
    return max(running, key=lambda row: (row.expected or row.read, -row.pk), default=None)


def _complete(sync: Sync) -> str:
    if sync.streams == [COMPARISON]:
        return "Compared with Bitbucket: the page of the connection says what was found"
    changed = _changed(sync)
    if not changed:
        return "Complete: nothing had changed"
    return f"Complete: {counted(changed, 'record')} new or changed"


def _failed(sync: Sync) -> str:
    message = str((sync.error or {}).get("message") or "It ended without a reason being noted.")
    return f"Failed: {message}"


def _stopped(sync: Sync) -> str:
    return "Stopped. What was read until then stays, and the next sync goes on from there"


ENDINGS = {
    State.SUCCEEDED: _complete,
    State.FAILED: _failed,
    State.CANCELLED: _stopped,
}


def incomplete(streams: Sequence[StreamRun], repositories: int = 0) -> str:
    """“Incomplete: 3 of 100 repositories”; streams are counted where no repository failed alone."""
    total = max((row.total or 0 for row in streams), default=0)
    if repositories and total:
        return f"Incomplete: {repositories:,} of {counted(total, 'repository', 'repositories')}"
    broken = [row for row in streams if row.state in (State.FAILED, State.PARTIAL)]
    return f"Incomplete: {len(broken) or 'a part'} of {counted(len(streams), 'stream')}"


def state_label(sync: Sync) -> str:
    """The state in words: “Waiting until 14:32”."""
    if sync.state == State.WAITING and sync.resume_at and sync.reason != Sync.Reason.TURN:
        return f"Waiting until {clock(sync.resume_at)}"
    return str(State(sync.state).label)


def waits_for(sync: Sync) -> str:
    """What a waiting sync waits for."""
    if sync.reason == Sync.Reason.QUOTA:
        return "the requests that Bitbucket allows are used up for now"
    if sync.reason == Sync.Reason.RETRY:
        message = str((sync.error or {}).get("message") or "Bitbucket did not answer.")
        return message.rstrip(".")
    return "other syncs go first for a moment"


def duration(sync: Sync) -> timedelta | None:
    """How long a sync took, or has taken until now."""
    if sync.started_at is None:
        return None
    return (sync.finished_at or now()) - sync.started_at


def started_by(sync: Sync) -> str:
    """Who or what asked for it: “started by the schedule”."""
    first = "first sync, " if sync.trigger == Sync.Trigger.FIRST else ""
    return f"{first}started by {asked_by(sync)}"


def asked_by(sync: Sync) -> str:
    """The schedule, a key of the API, or a member by name."""
    if sync.trigger == Sync.Trigger.SCHEDULE:
        return "the schedule"
    if sync.trigger == Sync.Trigger.API:
        return f"API key {sync.requested_by}" if sync.requested_by else "the API"
    return sync.requested_by or "a member"


def saved(sync: Sync, streams: Sequence[StreamRun]) -> str:
    """What a sync that read all saved against a request per pull request and detail, if anything.

    One that was stopped or failed asked little because it ended.
    """
    rows = {row.stream: row for row in streams}
    details = len(DETAIL_STREAMS & rows.keys())
    pull_requests = rows["pull_requests"].read if "pull_requests" in rows else 0
    listings = sum(row.requests for key, row in rows.items() if key not in DETAIL_STREAMS)
    naive = listings + details * pull_requests
    if sync.state not in READ or naive <= sync.requests:
        return ""
    return (
        f"Asked Bitbucket {counted(sync.requests, 'time')}; "
        f"one request per pull request would have been {naive:,}."
    )


def silent_since(sync: Sync) -> datetime | None:
    """Since when a running sync has given no sign; None while it does."""
    heard = sync.heartbeat_at or sync.started_at
    is_silent = sync.state == State.RUNNING and heard is not None and now() - heard > SILENCE
    return heard if is_silent else None


def _changed(sync: Sync) -> int:
    return sum(int(sync.counts.get(name) or 0) for name in ("created", "updated", "removed"))
