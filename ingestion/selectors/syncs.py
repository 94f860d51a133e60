"""What pages and the API read of syncs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from connections.models import Connection
from ingestion.models import UNFINISHED, Coverage, State, StreamRun, Sync
from tenants.models import Organization

STRIP = 20
PASSES = 5  # syncs by which it is told what the next one takes
CARRIED = ("requests", "read", "expected", "begun", "read_of_ended")


def syncs_of(organization: Organization) -> QuerySet[Sync]:
    """All syncs of an organization, the newest first, with their connections."""
    found: QuerySet[Sync] = Sync.objects.for_organization(organization)
    return found.select_related("connection").order_by("-created_at", "-id")


def with_strip_start(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Add `strip_start`: the id of the oldest of the last 20 syncs (an index look-up each)."""
    last = Sync.objects.filter(connection=OuterRef("pk")).order_by("-created_at", "-id")
    return connections.annotate(strip_start=Subquery(last.values("pk")[STRIP - 1 : STRIP]))


def last_syncs(connections: Sequence[Connection]) -> dict[int, list[Sync]]:
    """The last 20 syncs of each connection, the oldest first, in one statement.

    The connections come from `with_strip_start`.
    """
    which = Q(pk__in=[])
    for connection in connections:
        which |= Q(
            connection_id=connection.pk, pk__gte=getattr(connection, "strip_start", None) or 0
        )
    found: dict[int, list[Sync]] = defaultdict(list)
    for sync in Sync.objects.filter(which).order_by("created_at", "pk"):
        found[sync.connection_id].append(sync)
    return {pk: syncs[-STRIP:] for pk, syncs in found.items()}


def requests_of_a_pass(connection: Connection) -> int | None:
    """What the last scheduled syncs took in the mean. None where there was none."""
    whole = syncs_of(connection.organization).filter(
        connection=connection,
        trigger=Sync.Trigger.SCHEDULE,
        mode=Sync.Mode.INCREMENTAL,
        state__in=(State.SUCCEEDED, State.PARTIAL),
    )
    found = list(whole.values_list("requests", flat=True)[:PASSES])
    return round(sum(found) / len(found)) if found else None


def unfinished_syncs(organization: Organization) -> QuerySet[Sync]:
    """What is queued, running or waiting now."""
    return syncs_of(organization).filter(state__in=UNFINISHED)


def unfinished_by_connection(connections: Sequence[Connection]) -> dict[int, Sync]:
    """The one unfinished sync of each connection that has one."""
    ids = [connection.pk for connection in connections]
    found = Sync.objects.filter(connection_id__in=ids, state__in=UNFINISHED)
    return {sync.connection_id: sync for sync in found}


def stream_rows_of(syncs: Sequence[Sync]) -> dict[int, list[StreamRun]]:
    """One row per stream of each sync, in the order of the sync, in one statement; in a few where
    one goes on with others.

    Each knows `begun`: in how many repositories something was found; `read_of_ended`: how many
    records those of them have that the sync is through with; and `carried`: the sums of these and
    of its own figures over the syncs that it goes on with.
    """
    found: dict[int, list[StreamRun]] = defaultdict(list)
    for row in _stream_rows([sync.pk for sync in syncs], ended_by=Q(ended_by=OuterRef("sync"))):
        row.carried = Counter()  # type: ignore[attr-defined]
        found[row.sync_id].append(row)
    for sync in syncs:
        order = {stream: place for place, stream in enumerate(sync.streams)}
        found[sync.pk].sort(key=lambda row: (order.get(row.stream, len(order)), row.pk))
        if sync.goes_on:
            _carry_on(sync, found[sync.pk])
    return found


def _carry_on(sync: Sync, rows: Sequence[StreamRun]) -> None:
    """What ended well in an earlier one counts as ended by the last of them."""
    chain = Sync.objects.filter(Q(pk=sync.goes_on) | Q(goes_on=sync.goes_on), pk__lt=sync.pk)
    carried: dict[str, Counter[str]] = defaultdict(Counter)
    ids = list(chain.values_list("pk", flat=True))
    for row in _stream_rows(ids, ended_by=Q(ended_by__gte=OuterRef("sync"))):
        for name in CARRIED:
            carried[row.stream][name] += getattr(row, name) or 0
    for row in rows:
        row.carried = carried[row.stream]  # type: ignore[attr-defined]


def _stream_rows(ids: Sequence[int], *, ended_by: Q) -> QuerySet[StreamRun]:
    parts = StreamRun.objects.filter(
        sync=OuterRef("sync"), stream=OuterRef("stream"), repository__isnull=False
    )
    by_stream = parts.filter(read__gt=0).order_by().values("stream")
    ended = Coverage.objects.filter(
        ended_by, repository=OuterRef("repository"), stream=OuterRef("stream")
    )
    rows = StreamRun.objects.filter(sync_id__in=ids, repository=None).annotate(
        begun=Coalesce(Subquery(by_stream.annotate(n=Count("pk")).values("n")), 0),
        read_of_ended=Coalesce(
            Subquery(by_stream.filter(Exists(ended)).annotate(n=Sum("read")).values("n")), 0
        ),
    )
    found: QuerySet[StreamRun] = rows.order_by("pk")
    return found


def failed_by_stream(sync: Sync) -> dict[str, int]:
    """How many repositories could not be read, by stream."""
    counted = failed_parts(sync).order_by("stream").values_list("stream").annotate(n=Count("pk"))
    return dict(counted)


def failed_parts(sync: Sync) -> QuerySet[StreamRun]:
    """The repositories that could not be read, with their errors."""
    return (
        sync.stream_runs.filter(repository__isnull=False, error__isnull=False)
        .exclude(state__in=(State.SUCCEEDED, State.CANCELLED))
        .select_related("repository")
        .order_by("repository__full_name", "pk")
    )


def filter_syncs(syncs: QuerySet[Sync], values: dict[str, Any]) -> QuerySet[Sync]:
    """Narrow a list of syncs by `state` and `connection`."""
    if values.get("state"):
        syncs = syncs.filter(state=values["state"])
    if values.get("connection"):
        syncs = syncs.filter(connection_id=values["connection"])
    return syncs
