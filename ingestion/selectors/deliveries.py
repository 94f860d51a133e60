"""What pages and the API read of deliveries. Bodies are read only where one of them is shown."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.utils.timezone import now

from ingestion.models import Delivery, StreamRun, Sync
from tenants.models import Organization

LATEST = 10  # on the page of a connection
LATELY = timedelta(days=1)


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


def missed_lately(organization: Organization) -> int:
    """How many pull requests the syncs of a day found changed of which no delivery had told, where
    deliveries came before: what one told of is fetched by then, and counts as unchanged. So does
    what changed in the seconds before a sync, if that came first.
    """
    told = Delivery.objects.filter(
        connection=OuterRef("sync__connection"),
        about__startswith="pull_requests:",
        received_at__lt=OuterRef("sync__created_at"),
    )
    rows = StreamRun.objects.for_organization(organization).filter(
        Exists(told),
        stream="pull_requests",
        repository=None,
        sync__mode=Sync.Mode.INCREMENTAL,
        sync__organization=organization,
        sync__created_at__gte=now() - LATELY,
    )
    found = rows.exclude(sync__trigger=Sync.Trigger.FIRST).aggregate(
        missed=Sum(F("created") + F("updated"))
    )
    return int(found["missed"] or 0)
