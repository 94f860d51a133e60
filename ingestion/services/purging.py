"""Forgets deleted connections for good with all their records, in steps that hold no table long."""

from datetime import datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils.timezone import now

from connections.models import Connection
from connections.services.trail import note
from ingestion.services.sweeping import MOST, in_steps
from tenants.actor import Actor

STEP = 2_000  # rows that one statement deletes at most, but for what hangs on them


def purge_deleted(*, rows: int = STEP, steps: int = MOST) -> int:
    """Forget the connections whose time to be restored is over, in so many steps of so many rows at
    most. Returns how many rows went.

    A run that is stopped goes on with the next; a connection goes when nothing of it is left.
    """
    over = now() - timedelta(days=settings.DELETED_CONNECTIONS_KEPT)
    return in_steps(lambda: _step(over, rows), steps)


def _step(over: datetime, most: int) -> int:
    due = Connection.objects.filter(deleted_at__lt=over, children=None)
    due = due.order_by("deleted_at", "pk")
    for connection in due[:1]:
        for model in _tables():
            rows = model._default_manager.filter(connection=connection.pk)
            keys = list(rows.order_by().values_list("pk", flat=True)[:most])
            if keys:
                model._default_manager.filter(pk__in=keys).delete()
                return len(keys)
        return _forget(connection)
    return 0


@transaction.atomic
def _forget(connection: Connection) -> int:
    note("connections.purged", connection, Actor.system())
    connection.delete()
    return 1


def _tables() -> list[type[Model]]:
    """The tables whose rows belong to a connection, what hangs on others first."""
    models = apps.get_app_config("ingestion").get_models()
    mine = [one for one in models if any(f.name == "connection" for f in one._meta.fields)]
    return list(reversed(mine))
