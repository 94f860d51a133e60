"""What pages and the API read of deliveries. Bodies are read only where one of them is shown."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from ingestion.models import Delivery
from tenants.models import Organization

LATEST = 10  # on the page of a connection


def deliveries_of(organization: Organization | int) -> QuerySet[Delivery]:
    """The deliveries of an organization, the newest first, without their bodies."""
    rows = Delivery.objects.for_organization(organization).select_related("connection")
    found: QuerySet[Delivery] = rows.defer("body").order_by("-received_at", "-id")
    return found


def filter_deliveries(
    deliveries: QuerySet[Delivery], values: Mapping[str, Any]
) -> QuerySet[Delivery]:
    """Narrow a list by `connection` (its id), `state`, `event` and `since`."""
    columns = {
        "connection": "connection_id",
        "state": "state",
        "event": "event",
        "since": "received_at__gte",
    }
    given = {columns[name]: value for name, value in values.items() if name in columns and value}
    return deliveries.filter(**given)
