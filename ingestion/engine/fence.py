"""Claims a sync and keeps it: whoever holds the highest attempt may write, nobody else.

All times are the database's. Every transaction of a walk begins with `Fence.hold`.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from ingestion.clock import database_now
from ingestion.engine.errors import Lost
from ingestion.models import State, Sync


def lease() -> timedelta:
    """How long a worker owns a sync without renewing."""
    return timedelta(seconds=settings.SYNC_LEASE)


def claimable(now: datetime) -> Q:
    """What a worker may take: never begun, waited long enough, or lost its lease."""
    return (
        Q(state=State.QUEUED)
        | Q(state=State.WAITING, resume_at__lte=now)
        | Q(state=State.RUNNING, lease_until__lt=now)
    )


@dataclass(slots=True)
class Fence:
    """The claim of one worker on one sync."""

    sync_id: int
    attempt: int
    held_at: float = field(default_factory=time.monotonic)

    def hold(self, **live: Any) -> None:
        """Begin a transaction of the walk: renew the lease, and show what the sync counts.

        Raises Lost, so that the transaction rolls back, if the sync is another's by now.
        """
        touched = Sync.objects.filter(
            pk=self.sync_id, attempt=self.attempt, state=State.RUNNING
        ).update(lease_until=Now() + lease(), heartbeat_at=Now(), **live)
        if not touched:
            raise Lost
        self.held_at = time.monotonic()

    def is_due(self) -> bool:
        """Whether a third of the lease has gone by, so that it should be renewed."""
        return time.monotonic() - self.held_at > settings.SYNC_LEASE / 3


def claim(sync_id: int) -> Fence | None:
    """Take a sync by compare-and-swap; None if there is nothing to take."""
    now = database_now()
    sync = Sync.objects.filter(claimable(now), pk=sync_id).only("attempt").first()
    if sync is None:
        return None
    touched = Sync.objects.filter(claimable(now), pk=sync_id, attempt=sync.attempt).update(
        attempt=F("attempt") + 1,
        state=State.RUNNING,
        reason=Sync.Reason.NONE,
        resume_at=None,
        lease_until=now + lease(),
        dispatched_at=None,  # its message has arrived: should the lease be lost, it is sent at once
        heartbeat_at=now,
        started_at=Coalesce("started_at", now),
    )
    return Fence(sync_id, sync.attempt + 1) if touched else None


def is_wanted_elsewhere(sync: Sync, *, lasted: float) -> bool:
    """Whether another sync could go on, and all slots are taken by slices as this one, which has
    `lasted` so many seconds. Before its turn is over it is wanted only by one that never had any,
    of another organization: who has little to copy does not wait for who has much.
    """
    now = database_now()
    others = Sync.objects.filter(claimable(now)).exclude(pk=sync.pk)
    if lasted <= settings.SYNC_SLICE:
        others = others.filter(attempt=0).exclude(organization=sync.organization_id)
    return others.exists() and running(now) >= int(settings.SYNC_SLOTS)


def running(now: datetime) -> int:
    """How many slices run at this moment, wherever."""
    return Sync.objects.filter(state=State.RUNNING, lease_until__gte=now).count()
