"""What is known of coverage and of stream runs while a slice runs, and how it is saved.

One worker holds the sync, so its memory is the truth between two transactions.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model, Q
from django.utils.timezone import now

from ingestion.models import (
    Comment,
    Commit,
    Coverage,
    Deployment,
    PipelineRun,
    PullRequest,
    RejectedRow,
    State,
    Step,
    StreamRun,
    Sync,
)
from ingestion.writer.batch import Counts, Place

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
# The streams whose rejected rows are told by a key that their stored rows have.
KEYED: dict[str, tuple[type[Model], str]] = {
    "pull_requests": (PullRequest, "number"),
    "pull_request_comments": (Comment, "number"),
    "pipelines": (PipelineRun, "uuid"),
    "pipeline_steps": (Step, "uuid"),
    "deployments": (Deployment, "uuid"),
    "commits": (Commit, "hash"),
}
NUMBER = re.compile("[1-9][0-9]{0,17}")
TOLERATED = ("rejected_rows", "no_access")  # gaps behind which a stream is read all the same
UNBELIEVABLE = 10**9  # rows of one stream: a size that Bitbucket tells, and nobody has
COUNTED = ("read", "created", "updated", "unchanged", "removed", "rejected")


class Book:
    """Coverage and stream runs of one sync, by stream and repository."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._coverage: dict[Place, Coverage] = {}
        self._runs: dict[Place, StreamRun] = {}
        self._rejected = defaultdict[Place, dict[str, datetime]](dict)
        self._changed: dict[int, Coverage | StreamRun] = {}

    def load(self) -> None:
        """Read what there is of this connection and of this sync."""
        for one in Coverage.objects.filter(connection_id=self._sync.connection_id):
            self._coverage[Place(one.stream, one.repository_id)] = one
        for run in StreamRun.objects.filter(sync=self._sync):
            self._runs[Place(run.stream, run.repository_id)] = run
        self._rejected = _rejected_since_all_was_read(self._sync)

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

    def reject(self, place: Place, key: str) -> None:
        """A row could not be kept: a gap, until it can, or everything is read again."""
        self._rejected[place][key] = now()
        self.close_gap(place)

    def close_gap(self, place: Place) -> None:
        """Nothing is missing here but rows that could not be kept, if there are any; and what a
        reading of everything did not see and nobody could be asked about.
        """
        missing, coverage = self._rejected[place], self.coverage(place)
        for key in _written_since(place, missing):
            del missing[key]
        coverage.gap = (coverage.missing or {}).get("gap")
        if missing and not coverage.gap:
            coverage.gap = rejected_rows(len(missing))

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


def rejected_rows(count: int) -> dict[str, Any]:
    """The gap that rows leave which could not be kept."""
    return {
        "code": "rejected_rows",
        "message": f"{count:,} of Bitbucket's records could not be stored. They are listed by key.",
        "retryable": False,
        "mended_by": "operator",
    }


def _written_since(place: Place, rejected: dict[str, datetime]) -> list[str]:
    """Keys of rows that were rejected, and could be kept later.

    Pull requests without `created_on` carry only what the feed tells of a pull request.
    """
    if not rejected or place.stream not in KEYED:
        return []
    model, name = KEYED[place.stream]
    keys = [key for key in rejected if name != "number" or NUMBER.fullmatch(key)]
    rows = model._default_manager.filter(repository_id=place.repository_id, **{f"{name}__in": keys})
    if model is PullRequest:
        rows = rows.filter(created_on__isnull=False)
    found = rows.values_list(name, "changed_at")
    return [str(key) for key, changed_at in found if changed_at > rejected[str(key)]]


def _rejected_since_all_was_read(sync: Sync) -> "defaultdict[Place, dict[str, datetime]]":
    """Keys of rows that are missing, and since when: a walk that goes on may bring them no second
    time. What belongs to no repository is read as a whole by each sync.
    """
    mine = Sync.objects.filter(connection_id=sync.connection_id)
    whole = mine.filter(mode=Sync.Mode.FULL, state__in=(State.SUCCEEDED, State.PARTIAL))
    first = sync if sync.mode == Sync.Mode.FULL else whole.first()
    rows = RejectedRow.objects.filter(sync__in=mine.filter(pk__gte=first.pk if first else 0))
    rows = rows.exclude(~Q(sync=sync), repository=None)
    found = defaultdict[Place, dict[str, datetime]](dict)
    columns = rows.order_by("created_at").values_list(
        "stream", "repository_id", "key", "created_at"
    )
    for stream, repository, key, moment in columns:
        found[Place(stream, repository)][key] = moment
    return found


def _save(model: type[Coverage] | type[StreamRun], rows: list[Any]) -> None:
    saved = SAVED_COVERAGE if model is Coverage else SAVED_RUN
    _create(model, [row for row in rows if row.pk is None])
    old = [row for row in rows if row.pk is not None]
    if old:
        model.objects.bulk_create(
            old, update_conflicts=True, unique_fields=["id"], update_fields=saved
        )


def _create(model: type[Model], rows: Iterable[Any]) -> None:
    new = list(rows)
    if new:
        model._default_manager.bulk_create(new)
