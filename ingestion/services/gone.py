"""What a person says to repositories that Bitbucket does not list any more."""

from django.db import transaction

from connections.models import Connection
from connections.services.locks import hold
from ingestion.models import Coverage
from tenants.actor import Actor
from tenants.services import audit


@transaction.atomic
def confirm_gone(*, connection: Connection, by: Actor) -> bool:
    """Say that the many repositories which are not listed any more are really gone.

    The next sync asks for each of them by its uuid and marks those that are not shown. False if
    that is not asked, or was said before. The caller has checked the actor's role.
    """
    hold(connection.pk)
    asked = Coverage.objects.for_organization(connection.organization_id).filter(
        Coverage.ASKS, connection=connection
    )
    kept = asked.values_list("checkpoint", flat=True).first()
    if kept is None:
        return False
    walk = {**kept["walk"], "confirmed": True}
    asked.update(checkpoint={**kept, "walk": walk})
    audit.record(
        organization=connection.organization_id,
        event_type="connections.gone_confirmed",
        by=by,
        target={"type": "connection", "id": connection.pk, "name": str(connection)},
        changes={"repositories": len(walk["missing"])},
    )
    return True
