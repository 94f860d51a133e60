"""Deliveries of webhooks: stored as they come, sent to the workers, asked for again by a person."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from connections.models import Connection
from connections.services.locks import hold
from ingestion.clock import database_now
from ingestion.dispatch import FOLLOW_DELIVERY, post
from ingestion.engine.inbox import claimable, is_open
from ingestion.models import Delivery
from ingestion.services.syncs import ConnectionNotReady
from ingestion.sources import source_kind
from ingestion.sources.hints import Hint
from tenants.actor import Actor
from tenants.services import audit

LOST_AFTER = timedelta(seconds=30)  # a message that nobody took by then is sent again
AT_A_TIME = 200  # that one tick sends at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A webhook request whose signature is right: its body as text and as what it says."""

    event: str
    request_id: str
    attempt: int
    headers: dict[str, str]
    text: str
    body: dict[str, Any]


def receive(*, connection: Connection, received: Received) -> bool:
    """Store a delivery and wake a worker for it. False where it is known: it was sent once more.

    One of a paused connection is stored, and waits until that is enabled. Nobody is kept waiting
    by a broker: where the message is lost, the tick sends it again.
    """
    hint = _hint(connection, received)
    told = {
        "repository_uuid": hint.repository,
        "repository_name": hint.repository_name,
        "about": hint.about[:200],
    }
    try:
        with transaction.atomic():
            delivery = Delivery.objects.create(
                organization_id=connection.organization_id,
                connection=connection,
                request_id=received.request_id,
                event=received.event,
                attempt=received.attempt,
                headers=received.headers,
                body=received.text,
                dispatched_at=database_now(),
                **(told if hint.repository else {}),
            )
    except IntegrityError:
        mine = Delivery.objects.filter(connection=connection, request_id=received.request_id)
        mine.filter(attempt__lt=received.attempt).update(attempt=received.attempt)
        return False
    post(FOLLOW_DELIVERY, delivery.organization_id, delivery.pk)
    return True


def replay(*, delivery: Delivery, by: Actor) -> Delivery:
    """Fetch once more what a delivery told of, whatever is here. The caller has checked the actor's
    role. One that is being fetched at this moment stays as it is. Raises ConnectionNotReady.
    """
    with transaction.atomic():
        connection = hold(delivery.connection_id)
        if not is_open(connection):
            raise ConnectionNotReady(connection)
        row: Delivery = Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        if row.state != Delivery.State.RUNNING:
            row.state, row.outcome, row.error = Delivery.State.QUEUED, Delivery.Outcome.NONE, None
            row.tries, row.replays = 0, row.replays + 1
            row.resume_at, row.dispatched_at = None, database_now()
            row.save()
            transaction.on_commit(partial(post, FOLLOW_DELIVERY, row.organization_id, row.pk))
        audit.record(
            organization=row.organization_id,
            event_type="deliveries.replayed",
            by=by,
            target={
                "type": "delivery",
                "id": row.pk,
                "name": row.event or str(row.pk),
                "connection": {"id": connection.pk, "name": connection.name},
            },
        )
    return row


def send_due() -> int:
    """Send what waited long enough, what was lost, and what lost its worker. Returns how many."""
    now = database_now()
    open_ones = Q(connection__status=Connection.Status.AVAILABLE, connection__deleted_at=None)
    is_lost = Q(dispatched_at=None) | Q(dispatched_at__lt=now - LOST_AFTER)
    rows = Delivery.objects.filter(claimable(now), open_ones, is_lost)
    found = list(
        rows.order_by("received_at", "pk").values_list("organization_id", "pk")[:AT_A_TIME]
    )
    Delivery.objects.filter(pk__in=[pk for _, pk in found]).update(dispatched_at=now)
    for organization, delivery in found:
        post(FOLLOW_DELIVERY, organization, delivery)
    return len(found)


def _hint(connection: Connection, received: Received) -> Hint:
    """What it tells of, for the inbox; of nothing, where it cannot be read."""
    found = source_kind(connection.connector).hint(received.event, received.body)
    return found or Hint(stream="", repository="")
