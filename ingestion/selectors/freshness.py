"""Up to when the data of a connection is complete, and whether that is recent enough."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils.timezone import now

from connections.connectors import connector
from connections.models import Connection
from connections.services.schedules import next_runs, own_intervals
from ingestion.models import Coverage
from ingestion.selectors.streams import chosen_streams, stream_label

BY_HAND = timedelta(days=1)  # what a connection without a schedule is measured by
# Data is complete up to ten minutes before a sync, so that a shorter promise could not be kept.
LEAST = timedelta(minutes=30)
NO_ACCESS_AFTER = 3  # syncs in a row that were refused: no longer part of what is promised


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """`complete_as_of` is the oldest of all that is chosen, None before the first whole sync.

    `question` is the gap about which a person is asked.
    """

    complete_as_of: datetime | None
    oldest: str  # what is oldest: “acme/api · Comments”
    allowed: timedelta  # how old the oldest may be: twice the interval, half an hour at least
    rotates: bool = False  # repositories without signs of change are visited once a day
    is_fresh: bool
    question: dict[str, Any] | None = None


def freshness_of(connections: Sequence[Connection]) -> dict[int, Freshness]:
    """The freshness of each connection, in one statement."""
    oldest = {row.connection_id: row for row in _oldest_rows(connections)} if connections else {}
    time = now()
    return {c.pk: _freshness(c, oldest.get(c.pk), time) for c in connections}


def promised(connections: Sequence[Connection]) -> Q:
    """The rows of Coverage by which freshness is judged: those that each scheduled sync renews."""
    return of_streams({one.pk: _promised_streams(one) for one in connections})


def of_streams(streams: Mapping[int, tuple[str, ...]]) -> Q:
    """The rows of Coverage of these streams, by connection, in chosen repositories that can be
    read.
    """
    by_streams: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for connection, keys in streams.items():
        by_streams[keys].append(connection)
    which = Q(pk__in=[])
    for keys, ids in by_streams.items():
        which |= Q(connection_id__in=ids, stream__in=keys)
    return (
        which
        & (Q(repository=None) | Q(repository__is_selected=True, repository__removed_at=None))
        & Q(refusals__lt=NO_ACCESS_AFTER)
    )


def _promised_streams(connection: Connection) -> tuple[str, ...]:
    """Those that each scheduled sync reads; what is read less often may be older."""
    own = own_intervals(connection.schedule, connector(connection.connector))
    each = interval_of(connection)
    return tuple(key for key in chosen_streams(connection) if own.get(key, timedelta(0)) <= each)


def interval_of(connection: Connection) -> timedelta:
    """How far apart scheduled syncs are; a day where nothing is scheduled."""
    runs = next_runs(connection.schedule, 2)
    return runs[1] - runs[0] if len(runs) == 2 else BY_HAND


def _oldest_rows(connections: Sequence[Connection]) -> list[Coverage]:
    age = Window(
        RowNumber(),
        partition_by="connection_id",
        order_by=[F("complete_as_of").asc(nulls_first=True), F("id").asc()],
    )
    rows = Coverage.objects.for_organization(connections[0].organization_id)
    same = Coverage.objects.filter(connection=OuterRef("connection"))
    asked, rotating = same.filter(Coverage.ASKS), same.filter(is_rotating=True)
    return list(
        rows.filter(promised(connections))
        .annotate(
            age=age,
            question=Subquery(asked.values("gap")[:1]),
            rotates=Exists(rotating),
        )
        .filter(age=1)
        .select_related("repository")
        .order_by()
    )


def _freshness(connection: Connection, row: Coverage | None, time: datetime) -> Freshness:
    interval, rotates = interval_of(connection), bool(row and row.rotates)  # type: ignore[attr-defined]
    allowed = max(2 * interval, LEAST, BY_HAND + interval if rotates else LEAST)
    whole = row is not None and connection.last_synced_at is not None
    complete_as_of = row.complete_as_of if row and whole else None
    return Freshness(
        complete_as_of=complete_as_of,
        oldest=_what(connection, row) if row else "",
        allowed=allowed,
        rotates=rotates,
        is_fresh=complete_as_of is not None and time - complete_as_of < allowed,
        question=row.question if row else None,  # type: ignore[attr-defined]  # annotated
    )


def _what(connection: Connection, row: Coverage) -> str:
    label = stream_label(connection.connector, row.stream)
    return f"{row.repository} · {label}" if row.repository else label
