"""What is due, and whose turn it is: the tick's work, in few statements, whatever the number."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce

from connections.models import Connection
from connections.services.schedules import run_after, streams_due
from ingestion.clock import database_now
from ingestion.dispatch import send_slice
from ingestion.engine.fence import claimable
from ingestion.models import UNFINISHED, State, Sync
from ingestion.services.syncs import no_counts, open_streams, streams_of
from ingestion.writer.changes import change

AT_A_TIME = 200  # connections that one tick starts at most
LOST_AFTER = timedelta(seconds=30)  # a message that nobody took by then is sent again
REMEMBERED = timedelta(hours=1)  # how long turns that were taken count


def tick() -> None:
    """Start what is due, then send what waits, what was lost, and what lost its worker."""
    start_due()
    dispatch_due()


def start_due() -> int:
    """Queue a sync for each connection whose time has come. Returns how many."""
    now = database_now()
    try:
        with transaction.atomic():
            due = _due(now)
            return _queue(due, now) if due else 0
    except IntegrityError:
        return 0  # somebody started one of them meanwhile; the next tick sees the rest


def _due(now: datetime) -> list[Connection]:
    """Held, so that none is paused between this look and its sync; who is being changed waits."""
    busy = Sync.objects.filter(state__in=UNFINISHED).values("connection_id")
    rows = Connection.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    found = rows.filter(
        next_sync_at__lte=now, deleted_at=None, status=Connection.Status.AVAILABLE
    ).exclude(pk__in=busy)
    return list(found.select_related("organization").order_by("next_sync_at", "pk")[:AT_A_TIME])


def _queue(due: list[Connection], now: datetime) -> int:
    syncs = Sync.objects.bulk_create([_sync(connection, now) for connection in due])
    open_streams(syncs)
    for connection in due:
        connection.next_sync_at = run_after(connection, now)
    change(due, ["next_sync_at"])
    return len(syncs)


def _sync(connection: Connection, now: datetime) -> Sync:
    return Sync(
        connection=connection,
        organization_id=connection.organization_id,
        trigger=Sync.Trigger.SCHEDULE,
        streams=streams_due(connection, streams_of(connection), now),
        counts=no_counts(),
    )


def dispatch_due() -> int:
    """Send slices for which there is room. Returns how many.

    The next slice goes to the organization with the fewest running ones; of several to the one
    whose last turn lies back furthest, however many syncs it has; and there to the sync that has
    been ready for longest: since its pause ended, or since it was queued.
    """
    now = database_now()
    unfinished = list(
        Sync.objects.filter(state__in=UNFINISHED)
        .filter(claimable(now) | Q(state=State.RUNNING))
        .order_by(Coalesce("resume_at", "created_at"), "pk")
        .values_list("pk", "organization_id", "state", "lease_until", "dispatched_at", named=True)
    )
    busy = Counter[int]()
    waiting = []
    for row in unfinished:
        holds = row.state == State.RUNNING and row.lease_until and row.lease_until >= now
        if holds or (row.dispatched_at and row.dispatched_at > now - LOST_AFTER):
            busy[row.organization_id] += 1
        else:
            waiting.append(row)
    room = settings.SYNC_SLOTS - busy.total()
    return _send(_next(waiting, busy, room, now), now) if room > 0 else 0


def _next(
    waiting: list[tuple[int, ...]], busy: "Counter[int]", room: int, now: datetime
) -> list[tuple[int, int]]:
    """Sync and organization of the next slices, as many as there is room for."""
    chosen: list[tuple[int, int]] = []
    organizations = {row[1] for row in waiting}
    turns = _last_turns(organizations, now) if len(organizations) > 1 else {}
    left = list(waiting)
    while left and len(chosen) < room:
        row = min(left, key=lambda one: (busy[one[1]], turns.get(one[1], 0.0)))
        left.remove(row)
        busy[row[1]] += 1
        chosen.append((row[0], row[1]))
    return chosen


def _last_turns(organizations: set[int], now: datetime) -> dict[int, float]:
    """When a slice of each organization last showed a sign of life, within the last hour."""
    recent = Q(state__in=UNFINISHED) | Q(finished_at__gte=now - REMEMBERED)
    rows = Sync.objects.filter(
        recent, organization_id__in=organizations, heartbeat_at__isnull=False
    )
    found = rows.order_by().values_list("organization_id").annotate(at=Max("heartbeat_at"))
    return {organization: at.timestamp() for organization, at in found}


def _send(chosen: list[tuple[int, int]], now: datetime) -> int:
    if not chosen:
        return 0
    keys = [sync for sync, _ in chosen]
    Sync.objects.filter(pk__in=keys, state__in=UNFINISHED).update(dispatched_at=now)
    for sync, organization in chosen:
        send_slice(organization, sync)
    return len(chosen)
