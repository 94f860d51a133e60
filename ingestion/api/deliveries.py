"""deliveries.list, deliveries.info, deliveries.replay"""

from rest_framework.request import Request
from rest_framework.response import Response

from connections.models import Connection
from ingestion.api.base import OfConnection
from ingestion.api.delivery_answers import DeliveriesAnswer, DeliveryAnswer, WholeDeliveryAnswer
from ingestion.api.rows import delivery_row, whole_delivery_row
from ingestion.api.schemas import ListDeliveries, OneDelivery
from ingestion.models import Delivery
from ingestion.selectors.deliveries import deliveries_of, filter_deliveries
from ingestion.services.deliveries import replay
from tenants.api import ApiError, list_answer, paginate
from tenants.models import Scope
from tenants.roles import Permission, allows
from tenants.scopes import present_role


class OfDelivery(OfConnection):
    """A method about one delivery."""

    def delivery(self, connection: Connection, pk: int) -> Delivery:
        """A delivery of this connection. Raises delivery_not_found."""
        found = deliveries_of(self.organization).filter(connection=connection, pk=pk).first()
        if found is None:
            raise ApiError("delivery_not_found", "This connection has no such delivery.")
        return found


class List(OfConnection):
    """What webhooks delivered to a connection, the newest first."""

    scope = Scope.RECORDS_READ
    takes = ListDeliveries
    gives = DeliveriesAnswer
    refuses = ("connection_not_found",)
    example = {"state": "failed", "since": "2026-11-01T00:00:00Z"}

    def get(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        found = deliveries_of(self.organization).filter(connection=connection)
        page, cursor = paginate(
            filter_deliveries(found, asked), request, key=("-received_at", "-id")
        )
        return list_answer(cursor, deliveries=[delivery_row(row) for row in page])


class Info(OfDelivery):
    """One delivery, with its headers; its body is for keys whose role is admin or higher."""

    scope = Scope.RECORDS_READ
    gives = WholeDeliveryAnswer
    refuses = ("connection_not_found", "delivery_not_found")

    def get(self, request: Request, connection_id: int, pk: int) -> Response:
        connection = self.connection(connection_id)
        self.read()
        delivery = self.delivery(connection, pk)
        role = present_role(self.key)
        may_see = role is not None and allows(role, Permission.READ_WEBHOOKS)
        return Response({"delivery": whole_delivery_row(delivery, with_body=may_see)})


class Replay(OfDelivery):
    """Fetch once more what a delivery told of, whatever is here. Twice does no more than once."""

    scope = Scope.SYNCS_WRITE
    takes = OneDelivery
    gives = DeliveryAnswer
    status = 202
    refuses = ("connection_not_found", "delivery_not_found", "connection_not_ready")
    example = {"id": 230}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        delivery = self.delivery(connection, self.read()["id"])
        row = replay(delivery=delivery, by=self.actor)
        return Response({"delivery": delivery_row(row)}, status=202)
