"""Claims a delivery and keeps it, as a slice does a sync: the highest claim may write, nobody else.

All times are the database's. Every transaction of its fetching begins with `Hold.take`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from connections.models import Connection
from connections.services.locks import hold
from ingestion.clock import database_now
from ingestion.engine.errors import Lost
from ingestion.models import UNFINISHED, Delivery, Sync

LEASE = timedelta(seconds=60)  # a page takes a request, of 20 s at most, of each credential
MILLISECOND = timedelta(milliseconds=1)
QUEUED, RUNNING = Delivery.State.QUEUED, Delivery.State.RUNNING


def claimable(now: datetime) -> Q:
    """What a worker may take: not begun, waited long enough, or lost its lease."""
    is_ready = Q(resume_at=None) | Q(resume_at__lte=now)
    return (Q(state=QUEUED) & is_ready) | Q(state=RUNNING, lease_until__lt=now)


@dataclass(frozen=True, slots=True)
class Hold:
    """The claim of one worker on one delivery. `connection` is the one whose records it writes, of
    this `stream` and of what hangs on it.
    """

    delivery: Delivery
    connection: Connection
    stream: str = ""

    def take(self) -> None:
        """Begin a transaction that writes records: behind the batch of a sync that is under way,
        so that no two write the same rows at a time. Raises Lost, so that it rolls back, where the
        delivery is another's by now, or its connection was paused or deleted, or handed the stream
        over.
        """
        connection = hold(self.connection.pk)
        if not is_open(connection) or self.stream in connection.handed_over:
            raise Lost
        syncs = Sync.objects.select_for_update(no_key=True).order_by("pk")
        mine = syncs.filter(connection=self.connection, state__in=UNFINISHED)
        list(mine.values_list("pk", flat=True))
        self._change(lease_until=Now() + LEASE)

    def end(self, state: Delivery.State, outcome: Delivery.Outcome, **told: Any) -> None:
        """Let go of it, for good."""
        ms = (
            database_now() - (self.delivery.started_at or self.delivery.received_at)
        ) / MILLISECOND
        self._let_go(
            state=state, outcome=outcome, processed_at=Now(), ms=round(ms), resume_at=None, **told
        )

    def put_back(self, outcome: Delivery.Outcome, until: datetime | None, **told: Any) -> None:
        """Let go of it until a moment, or until its connection is open again."""
        self._let_go(state=QUEUED, outcome=outcome, resume_at=until, **told)

    def _let_go(self, **changes: Any) -> None:
        self._change(lease_until=None, dispatched_at=None, **changes)

    def _change(self, **changes: Any) -> None:
        mine = Delivery.objects.filter(
            pk=self.delivery.pk, claims=self.delivery.claims, state=RUNNING
        )
        if not mine.update(**changes):
            raise Lost


def is_open(connection: Connection) -> bool:
    """Whether deliveries of a connection are followed. Of one that is paused they wait."""
    return connection.deleted_at is None and connection.status == Connection.Status.AVAILABLE


@transaction.atomic
def claim(delivery_id: int) -> Hold | None:
    """Take a delivery by compare-and-swap; None where there is nothing to take."""
    now = database_now()
    ready = Delivery.objects.filter(claimable(now), pk=delivery_id)
    touched = ready.update(
        claims=F("claims") + 1,
        state=RUNNING,
        lease_until=now + LEASE,
        dispatched_at=None,
        resume_at=None,
        started_at=now,
    )
    if not touched:
        return None
    rows = Delivery.objects.select_related("connection__organization")
    delivery: Delivery = rows.get(pk=delivery_id)
    return Hold(delivery, delivery.connection)
