"""What is known of coverage and of stream runs while a slice runs, and how it is saved.

One worker holds the sync, so its memory is the truth between two transactions.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model

from ingestion.engine.rejections import Rejections
from ingestion.models import Coverage, State, StreamRun, Sync
from ingestion.writer.batch import Counts, Place, Rejection
from ingestion.writer.changes import change

SAVED_COVERAGE = [
    "covered_from",
    "earlier",
    "watermark",
    "complete_as_of",
    "checkpoint",
    "gap",
    "rows",
    "refusals",
    "asked_at",
    "ended_by",
    "looked_back_at",
    "came_of_age_until",
    "heads",
    "lost_heads",
    "is_rotating",
    "comparison",
]
SAVED_RUN = [
    "state",
    "done",
    "total",
    "expected",
    "read",
    "created",
    "updated",
    "unchanged",
    "removed",
    "rejected",
    "requests",
    "error",
    "started_at",
    "finished_at",
]
TOLERATED = ("rejected_rows", "no_access")  # gaps behind which a stream is read all the same
UNBELIEVABLE = 10**9  # rows of one stream: a size that Bitbucket tells, and nobody has
COUNTED = ("read", "created", "updated", "unchanged", "removed", "rejected")


class Book:
    """Coverage and stream runs of one sync, by stream and repository."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._coverage: dict[Place, Coverage] = {}
        self._runs: dict[Place, StreamRun] = {}
        self.rejections = Rejections(sync)
        self._changed: dict[int, Coverage | StreamRun] = {}

    def load(self) -> None:
        """Read what there is of this connection and of this sync."""
        for one in Coverage.objects.filter(connection_id=self._sync.connection_id):
            self._coverage[Place(one.stream, one.repository_id)] = one
        for run in StreamRun.objects.filter(sync=self._sync):
            self._runs[Place(run.stream, run.repository_id)] = run
        self.rejections.load()

    def look_up(self, repository: int) -> None:
        """Read how far the streams of one repository are, for who saves nothing of it."""
        for one in Coverage.objects.filter(repository=repository):
            self._coverage[Place(one.stream, one.repository_id)] = one

    def coverage(self, place: Place) -> Coverage:
        """The coverage of a place; what is done to it is saved with the next batch."""
        found = self._coverage.get(place)
        if found is None:
            found = self._coverage[place] = Coverage(
                organization_id=self._sync.organization_id,
                connection_id=self._sync.connection_id,
                repository_id=place.repository_id,
                stream=place.stream,
            )
        self._changed[id(found)] = found
        return found

    def known(self, place: Place) -> Coverage | None:
        """The coverage of a place where there is one, to look at."""
        return self._coverage.get(place)

    def run(self, place: Place) -> StreamRun:
        """The row of a stream, or of a stream of one repository."""
        found = self._runs.get(place)
        if found is None:
            found = self._runs[place] = StreamRun(
                organization_id=self._sync.organization_id,
                sync=self._sync,
                stream=place.stream,
                repository_id=place.repository_id,
                state=State.RUNNING,
            )
        self._changed[id(found)] = found
        return found

    def has_run(self, place: Place) -> bool:
        """Whether a repository has a row of its own in this sync."""
        return place in self._runs

    def runs(self, stream: str) -> list[StreamRun]:
        """The rows of the repositories of a stream that changed or failed."""
        return [
            run
            for place, run in self._runs.items()
            if place.stream == stream and place.repository_id is not None
        ]

    def streams(self) -> list[StreamRun]:
        """The row of each stream as a whole."""
        return [run for place, run in self._runs.items() if place.repository_id is None]

    def count(self, place: Place, counts: Counts) -> None:
        """Add to the counts of a row."""
        run = self.run(place)
        for name in COUNTED:
            setattr(run, name, getattr(run, name) + getattr(counts, name))

    def reject(self, rejections: Collection[Rejection], moment: datetime) -> None:
        """Rows could not be kept: gaps, until they can, or everything is read again."""
        if rejections:
            self.rejections.note(rejections, moment)
            for place in {one.place for one in rejections}:
                self.close_gap(place)

    def close_gap(self, place: Place) -> None:
        """Nothing is missing here but rows that could not be kept, if there are any; and what a
        reading of everything did not see and nobody could be asked about.
        """
        coverage = self.coverage(place)
        kept = self.rejections.gap(place)
        coverage.gap = (coverage.missing or {}).get("gap") or kept

    def expect(self, stream: str, more: int) -> None:
        """Add to how many rows a stream is expected to read, about; nonsense is passed by."""
        row = self.run(Place(stream, None))
        expected = (row.expected or 0) + more
        if expected < UNBELIEVABLE:
            row.expected = expected

    def count_ended(self) -> None:
        """Show at how many repositories this sync came to an end of each stream."""
        for row in self.streams():
            if row.total is not None:
                row.done = self.ended_here(row.stream)
                self._changed[id(row)] = row

    def ended_here(self, stream: str) -> int:
        """At how many repositories this sync came to an end of a stream, well or not."""
        return sum(
            place.stream == stream
            and one.repository_id is not None
            and one.ended_by == self._sync.pk
            for place, one in self._coverage.items()
        )

    def has_ended_well(self, place: Place) -> bool:
        """Whether this sync came to a good end at this place."""
        one = self._coverage.get(place)
        if one is None or one.ended_by != self._sync.pk:
            return False
        return one.gap is None or one.gap["code"] in TOLERATED

    def gap_of(self, stream: str) -> dict[str, Any] | None:
        """The gap of the first repository with which this sync came to no good end."""
        mine = (
            one.gap
            for place, one in self._coverage.items()
            if place.stream == stream and one.ended_by == self._sync.pk
        )
        return next((gap for gap in mine if gap and gap["code"] not in TOLERATED), None)

    def ended_well(self, stream: str) -> int:
        """At how many repositories this sync came to a good end of a stream."""
        there = (place for place in self._coverage if place.stream == stream)
        return sum(self.has_ended_well(place) for place in there if place.repository_id is not None)

    def totals(self) -> dict[str, int]:
        """The counts of the whole sync."""
        return {name: sum(getattr(run, name) for run in self.streams()) for name in COUNTED}

    def requests(self) -> int:
        """How often this sync has asked."""
        return sum(run.requests for run in self.streams())

    def save(self) -> None:
        """Write what changed: at most two statements for each of the two tables."""
        changed, self._changed = self._changed, {}
        _save(Coverage, [row for row in changed.values() if isinstance(row, Coverage)])
        _save(StreamRun, [row for row in changed.values() if isinstance(row, StreamRun)])


def _save(model: type[Coverage] | type[StreamRun], rows: list[Any]) -> None:
    saved = SAVED_COVERAGE if model is Coverage else SAVED_RUN
    _create(model, [row for row in rows if row.pk is None])
    change([row for row in rows if row.pk is not None], saved)


def _create(model: type[Model], rows: Iterable[Any]) -> None:
    new = list(rows)
    if new:
        model._default_manager.bulk_create(new)
