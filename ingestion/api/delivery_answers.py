"""What the methods deliveries.* answer, for the description of the API."""

from ingestion.api.answers import ErrorRow
from ingestion.models import Delivery
from tenants.api.shapes import (
    Answer,
    Identifier,
    ListAnswer,
    Moment,
    Number,
    Row,
    Thing,
    Words,
)


class DeliveryRow(Row):
    """One webhook request that was received, and what became of it."""

    id = Identifier(230)
    connection_id = Identifier(7)
    request_id = Words("3a0f86ab-92b5-4d6f-8a0b-3d2c8f7f4c11", help_text="X-Request-UUID")
    event = Words("pullrequest:approved")
    attempt = Number(1, help_text="The sender's, of the last one that came.")
    repository = Words("acme/api", allow_null=True, help_text="As the delivery names it.")
    state = Words("done", lambda: Delivery.State.values)
    outcome = Words("changed", lambda: [*filter(None, Delivery.Outcome.values)], allow_null=True)
    message = Words("What changed was fetched.")
    received_at = Moment()
    resume_at = Moment(None, allow_null=True, help_text="Until when it waits.")
    processed_at = Moment(allow_null=True)
    ms = Number(420, allow_null=True, help_text="How long fetching took.")
    changed = Number(3, help_text="Records that differed.")
    requests = Number(3)
    replays = Number(0)
    error = ErrorRow(allow_null=True)


class WholeDeliveryRow(DeliveryRow):
    """The same with what it said."""

    headers = Thing({"X-Event-Key": "pullrequest:approved"}, help_text="Without the signature.")
    body = Words(
        '{"pullrequest": {"id": 12}}',
        allow_null=True,
        help_text="As it came. Null for keys whose role is below admin.",
    )


class DeliveryAnswer(Answer):
    """One delivery."""

    delivery = DeliveryRow()


class WholeDeliveryAnswer(Answer):
    """One delivery with what it said."""

    delivery = WholeDeliveryRow()


class DeliveriesAnswer(ListAnswer):
    """A page of deliveries, the newest first."""

    deliveries = DeliveryRow(many=True)
