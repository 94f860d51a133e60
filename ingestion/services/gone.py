"""What a person says to what Bitbucket does not list any more."""

from collections import Counter

from django.db import transaction

from connections.models import Connection
from connections.services.locks import hold
from ingestion.models import Coverage
from tenants.actor import Actor
from tenants.services import audit


@transaction.atomic
def confirm_gone(*, connection: Connection, by: Actor) -> bool:
    """Say that what many lists lack, or a reading of everything did not see, is really gone.

    The next sync asks for each by itself and marks those that are not shown. False if that is not
    asked, or was said before. The caller has checked the actor's role.
    """
    hold(connection.pk)
    asked = Coverage.objects.for_organization(connection.organization_id).filter(
        Coverage.ASKS, connection=connection
    )
    changes = Counter[str]()
    for row in asked.only("stream", "checkpoint", "missing"):
        changes[row.stream] += _confirm(row)
    if not changes:
        return False
    audit.record(
        organization=connection.organization_id,
        event_type="connections.gone_confirmed",
        by=by,
        target={"type": "connection", "id": connection.pk, "name": str(connection)},
        changes=dict(changes),
    )
    return True


def _confirm(row: Coverage) -> int:
    """Note it where the question is kept. Returns how many records it is about."""
    mine = Coverage.objects.filter(Coverage.ASKS, pk=row.pk)
    if row.missing:
        mine.update(missing={**row.missing, "confirmed": True})
        return int(row.missing["count"])
    kept = row.checkpoint or {}
    walk = {**kept["walk"], "confirmed": True}
    mine.update(checkpoint={**kept, "walk": walk})
    return len(walk["missing"])
