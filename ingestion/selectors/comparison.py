"""What is here beside what Bitbucket counts, as it was last compared."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import Connection
from ingestion.models import Coverage
from ingestion.selectors.freshness import of_streams
from ingestion.selectors.streams import chosen_streams, stream_label

SHOWN = 20  # repositories that are named
WORKSPACE = "The workspace"  # what belongs to no repository


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The counts of one stream, of a repository or of all that were compared."""

    label: str
    repository: str  # empty: all of them
    at: datetime  # the oldest of them
    theirs: int
    ours: int
    missing: int  # that Bitbucket counts, and are not here
    more: int  # that are here, and Bitbucket does not count
    twice: int

    @property
    def found(self) -> int:
        """How many of theirs are here."""
        return self.theirs - self.missing

    @property
    def is_right(self) -> bool:
        return not (self.missing or self.more or self.twice)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Each stream in all, and the repositories where a count differs, the worst first.

    `uncounted` are the streams that are copied and cannot be compared.
    """

    streams: Sequence[Compared]
    differing: Sequence[Compared]
    uncounted: Sequence[str]

    @property
    def missing(self) -> int:
        return sum(one.missing for one in self.streams)

    @property
    def shown(self) -> Sequence[Compared]:
        return self.differing[:SHOWN]

    @property
    def not_shown(self) -> int:
        return len(self.differing) - len(self.shown)


def comparison_of(connection: Connection) -> Comparison:
    """The last comparison of a connection, in one statement; without streams: never compared."""
    labels = {key: stream_label(connection.connector, key) for key in chosen_streams(connection)}
    by_stream: dict[str, list[Compared]] = defaultdict(list)
    rows = Coverage.objects.for_organization(connection.organization_id)
    which = of_streams({connection.pk: chosen_streams(connection)})
    mine = rows.filter(which, comparison__isnull=False).order_by("pk")
    columns = ("stream", "repository__full_name", "comparison")
    for stream, name, told in mine.values_list(*columns):
        by_stream[stream].append(_of_repository(labels[stream], name or WORKSPACE, told or {}))
    every = [one for rows in by_stream.values() for one in rows if not one.is_right]
    return Comparison(
        streams=[_together(by_stream[stream]) for stream in labels if stream in by_stream],
        uncounted=[label for stream, label in labels.items() if stream not in by_stream],
        differing=sorted(every, key=lambda one: (-one.missing, one.repository)),
    )


def _of_repository(label: str, name: str, told: dict[str, Any]) -> Compared:
    theirs, ours = told["theirs"], told["ours"]
    return Compared(
        label=label,
        repository=name,
        at=datetime.fromisoformat(told["at"]),
        theirs=theirs,
        ours=ours,
        missing=max(0, theirs - ours),
        more=max(0, ours - theirs),
        twice=told["twice"],
    )


def _together(rows: Sequence[Compared]) -> Compared:
    return Compared(
        label=rows[0].label,
        repository="",
        at=min(row.at for row in rows),
        theirs=sum(row.theirs for row in rows),
        ours=sum(row.ours for row in rows),
        missing=sum(row.missing for row in rows),
        more=sum(row.more for row in rows),
        twice=sum(row.twice for row in rows),
    )
