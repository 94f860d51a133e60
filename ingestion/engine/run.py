"""What every part of a running slice shares."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connections.models import Connection
from ingestion.clock import Clock
from ingestion.engine.book import Book
from ingestion.engine.pool import Pool
from ingestion.models import Repository, Sync
from ingestion.sources.base import Checkpoint
from ingestion.writer.batch import Place

REFUSALS_TO_NO_ACCESS = 3  # syncs in a row
ONCE_A_DAY = timedelta(days=1)
# Streams of a repository that cannot be read without another one.
FOLLOWERS = {
    "pull_requests": ("pull_request_activity", "pull_request_comments"),
    "pipelines": ("pipeline_steps",),
}
NO_ACCESS = {
    "code": "no_access",
    "message": "Bitbucket refused this repository in three syncs running."
    " It is asked again once a day.",
    "retryable": False,
    "mended_by": "workspace_admin",
}


class Unfinished(NamedTuple):
    """A walk that stopped on its way: when it began, how many rows it read, where it stands, and
    from where on it covers history, and whether it reads all for what was refused.
    """

    begun: datetime
    read: int
    checkpoint: Checkpoint
    covers_from: datetime | None
    is_anew: bool


@dataclass(slots=True)
class Run:
    """A slice of a sync on its way.

    `stopped` holds the error of each stream that stops as a whole, such as for a missing scope.
    `put_off` are places that failed in this sync and are tried again after a pause. `steps_read`
    are runs whose steps came with this batch: key, number and end as they were before.
    """

    sync: Sync
    connection: Connection
    book: Book
    clock: Clock = field(default_factory=Clock)
    pool: Pool = field(default_factory=Pool)
    repositories: dict[int, Repository] = field(default_factory=dict)
    stopped: dict[str, dict[str, Any]] = field(default_factory=dict)
    put_off: set[Place] = field(default_factory=set)
    asked_again: set[Place] = field(default_factory=set)  # for what could not be kept there
    steps_read: list[tuple[int, int, datetime | None]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return self.sync.mode == Sync.Mode.FULL

    @property
    def reading(self) -> int:
        """What marks rows as seen where everything is read. A sync may go on with another's."""
        return self.sync.goes_on or self.sync.pk

    @property
    def reading_begun(self) -> datetime:
        """When the reading of everything began: what was written since needs no other mark."""
        first = Sync.objects.filter(pk=self.reading).values_list("created_at", flat=True).first()
        return first or self.sync.created_at

    @property
    def since(self) -> datetime | None:
        """The start of the history window, None for everything."""
        day = self.connection.selection.get("since")
        return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None

    @property
    def uses(self) -> dict[str, int]:
        """How often each credential's secret was used in this sync, by its id."""
        here = {str(key): count for key, count in self.pool.asked().items()}
        return dict(Counter(self.sync.uses) + Counter(here))

    def copies(self, stream: str) -> bool:
        """Whether this sync copies a stream, and nothing stops it as a whole."""
        return stream in self.sync.streams and stream not in self.stopped

    def has_ended(self, place: Place) -> bool:
        """Whether this sync came to an end at this place, well or not."""
        known = self.book.known(place)
        return known is not None and known.ended_by == self.sync.pk

    def is_due_daily(self, looked_back_at: datetime | None) -> bool:
        return looked_back_at is None or self.clock.now() - looked_back_at > ONCE_A_DAY

    def end(self, place: Place, gap: dict[str, Any]) -> None:
        """Nothing more is asked here in this sync, nor what hangs on it; the gap says why."""
        for stream in (place.stream, *FOLLOWERS.get(place.stream, ())):
            if stream in self.sync.streams:
                coverage = self.book.coverage(Place(stream, place.repository_id))
                coverage.gap, coverage.ended_by = gap, self.sync.pk

    def unfinished(self, place: Place) -> Unfinished | None:
        """The walk that stopped on its way, if any. A full sync goes on only its own, and those of
        the reading that it goes on with.
        """
        known = self.book.known(place)
        kept = known.checkpoint if known else None
        if kept is None or (self.is_full and kept["sync"] != self.reading):
            return None
        return Unfinished(
            begun=datetime.fromisoformat(kept["begun"]),
            read=kept["read"],
            checkpoint=kept["walk"],
            covers_from=self.moment(kept, "covers_from"),
            is_anew=kept.get("is_anew", False),
        )

    def moment(self, kept: dict[str, Any], name: str) -> datetime | None:
        """A moment that a checkpoint keeps; where it keeps none, the history window's."""
        if name not in kept:
            return self.since
        return datetime.fromisoformat(kept[name]) if kept[name] else None

    def lacks_earlier(self, place: Place) -> bool:
        """Whether the history window begins before what was read here."""
        known = self.book.known(place)
        if known is None or known.watermark is None or known.covered_from is None:
            return False
        return self.since is None or self.since < known.covered_from
