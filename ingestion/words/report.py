"""All that the page of one sync shows, ready to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from ingestion.models import UNFINISHED, State, StreamRun, Sync
from ingestion.selectors.quota import QuotaLeft
from ingestion.selectors.streams import stream_label
from ingestion.words import progress
from ingestion.words import syncs as words
from ingestion.words.counted import counted
from ingestion.words.problems import MENDERS

SHOWN_FAILURES, SHOWN_REPOSITORIES = 20, 100
TIMES = (
    ("bitbucket", "Bitbucket answers", "accent"),
    ("database", "Our database", "busy"),
    ("waiting", "Waiting", "track"),
)


@dataclass(frozen=True, kw_only=True)
class StreamLine:
    """One stream in the table."""

    row: StreamRun
    label: str
    state: State
    percent: int | None  # None while nobody knows how much there is
    rate: float | None  # requests a second
    failed: int  # repositories that could not be read

    @property
    def kind(self) -> str:
        """The meaning of its bar: good, busy, attention or bad."""
        return {
            State.SUCCEEDED: "good",
            State.PARTIAL: "attention",
            State.FAILED: "bad",
            State.CANCELLED: "idle",
        }.get(self.state, "busy")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One cause for which a stream of one repository, or of several, could not be read."""

    rows: Sequence[StreamRun]
    label: str

    @property
    def row(self) -> StreamRun:
        """The first of them: it tells of all."""
        return self.rows[0]

    @property
    def who(self) -> str:
        """Who can mend it."""
        return mended_by(self.row.error)

    @property
    def shown(self) -> Sequence[StreamRun]:
        return self.rows[:SHOWN_REPOSITORIES]

    @property
    def more(self) -> int:
        return len(self.rows) - len(self.shown)


@dataclass(kw_only=True)
class SyncReport:
    """One sync, in words and figures; made of its rows as they stand."""

    sync: Sync
    rows: Sequence[StreamRun]
    failed_by_stream: dict[str, int]
    failed: list[Failure]
    broken: int  # repositories with a part that could not be read
    quota: QuotaLeft | None

    @property
    def headline(self) -> str:
        return words.headline(self.sync, self.rows, self.broken_alone)

    @property
    def is_live(self) -> bool:
        return self.sync.state in UNFINISHED

    @cached_property
    def percent(self) -> int:
        return round(100 * progress.share_done(self.rows))

    @property
    def time_left(self) -> str:
        return progress.time_left(self.sync, self.rows)

    @property
    def started_by(self) -> str:
        return words.started_by(self.sync)

    @property
    def updated_at(self) -> datetime:
        """When the page was made: it says how old what it shows is."""
        return now()

    @property
    def silent_since(self) -> datetime | None:
        return words.silent_since(self.sync)

    @property
    def took(self) -> timedelta | None:
        return words.duration(self.sync)

    @property
    def waits_for(self) -> str:
        return words.waits_for(self.sync) if self.sync.state == State.WAITING else ""

    @property
    def saved(self) -> str:
        return words.saved(self.sync, self.rows)

    @property
    def error(self) -> dict[str, Any] | None:
        """Why it ended as it did; the parts that failed stand below by themselves."""
        if self.sync.state == State.FAILED or (
            self.sync.state == State.PARTIAL and not self.failed
        ):
            return self.sync.error
        return None

    @property
    def read(self) -> int:
        return max(int(self.sync.counts.get("read") or 0), sum(row.read for row in self.rows))

    @property
    def rate(self) -> float | None:
        """Requests a second while it worked."""
        took = self.took or timedelta()
        waited = float(self.sync.seconds.get("waiting") or 0)
        return _rate(self.sync.requests, took.total_seconds() - waited)

    @cached_property
    def repositories(self) -> int | None:
        """How many repositories it visits, once that is known."""
        return max((row.total or 0 for row in self.rows), default=0) or None

    @cached_property
    def counts_streams(self) -> bool:
        """Whether streams are counted, not repositories: one failed as a whole."""
        return any(row.error and row.stream not in self.failed_by_stream for row in self.rows)

    @property
    def broken_alone(self) -> int:
        """Repositories with a part that could not be read; 0 where streams are counted."""
        return 0 if self.counts_streams else self.broken

    @property
    def without_error(self) -> int:
        """How many of the streams, or of the repositories, have no error."""
        if self.counts_streams:
            return sum(row.error is None for row in self.rows)
        return max(0, (self.repositories or 0) - self.broken)

    @cached_property
    def streams(self) -> list[StreamLine]:
        return [_line(self.sync, row, self.failed_by_stream) for row in self.rows]

    @property
    def times(self) -> list[tuple[str, float, str]]:
        """Where time went: name, seconds, tone of each part."""
        seconds = self.sync.seconds
        return [(label, float(seconds.get(key) or 0), tone) for key, label, tone in TIMES]

    @property
    def has_times(self) -> bool:
        return any(seconds for _, seconds, _ in self.times)

    @property
    def kept_for(self) -> str:
        """For how long what it did in single repositories was kept, where that is over."""
        kept = timedelta(days=settings.SYNC_DETAILS_KEPT)
        if self.sync.finished_at is None or now() - self.sync.finished_at < kept:
            return ""
        return counted(kept.days, "day")

    @property
    def failed_total(self) -> int:
        return sum(self.failed_by_stream.values())

    @property
    def failed_more(self) -> int:
        return self.failed_total - sum(len(failure.rows) for failure in self.failed)

    @property
    def failed_sentence(self) -> str:
        what = counted(self.broken, "repository", "repositories")
        return f"{what} could not be read in full"


def report(
    sync: Sync,
    rows: Sequence[StreamRun],
    *,
    failed: Sequence[StreamRun],
    failed_by_stream: dict[str, int],
    quota: QuotaLeft | None,
) -> SyncReport:
    """Put together what the page shows."""
    key = sync.connection.connector
    return SyncReport(
        sync=sync,
        rows=rows,
        failed_by_stream=failed_by_stream,
        failed=_by_cause(key, failed)[:SHOWN_FAILURES],
        broken=len({row.repository_id for row in failed}),
        quota=quota,
    )


def _by_cause(connector: str, failed: Sequence[StreamRun]) -> list[Failure]:
    causes: dict[tuple[str, ...], list[StreamRun]] = {}
    for row in failed:
        error = row.error or {}
        told = (str(error.get(name)) for name in ("code", "message", "mended_by"))
        causes.setdefault((row.stream, row.state, *told), []).append(row)
    return [
        Failure(rows=rows, label=stream_label(connector, rows[0].stream))
        for rows in causes.values()
    ]


def mended_by(error: dict[str, Any] | None) -> str:
    """Who can mend an error, as a sentence."""
    return MENDERS.get(str((error or {}).get("mended_by")), "")


def _line(sync: Sync, row: StreamRun, failed: dict[str, int]) -> StreamLine:
    took = (row.finished_at or now()) - row.started_at if row.started_at else timedelta()
    return StreamLine(
        row=row,
        label=stream_label(sync.connection.connector, row.stream),
        state=State(row.state),
        percent=_percent(row),
        rate=_rate(row.requests, took.total_seconds()),
        failed=failed.get(row.stream, 0),
    )


def _percent(row: StreamRun) -> int | None:
    share = progress.share(row)
    is_unknown = not share and row.read and row.expected is None
    return None if is_unknown else round(100 * share)


def _rate(requests: int, seconds: float) -> float | None:
    """Requests a second; None where there were too few to speak of a rate."""
    rate = round(requests / seconds, 1) if seconds >= 1 else 0.0
    return rate or None
