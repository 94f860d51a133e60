"""Background work on connections: ids in, one service called."""

from celery import shared_task

from connections.models import Connection, Credential, Verification
from connections.services import due, expiry, verification, visiting, webhooks
from tenants import access


@shared_task(ignore_result=True)
def run_verification(organization_id: int, verification_id: int) -> None:
    """Run the checks of a verification that was begun."""
    with access.enter(organization_id):
        rows = Verification.objects.for_organization(organization_id)
        row = rows.filter(pk=verification_id).first()
        if row is not None:  # a draft that was discarded takes its verifications with it
            visiting.run_and_follow(row)


@shared_task(ignore_result=True)
def verify_credential(organization_id: int, credential_id: int) -> None:
    """Run the checks of a credential."""
    with access.enter(organization_id):
        rows = Credential.objects.for_organization(organization_id).filter(deleted_at=None)
        credential = rows.filter(pk=credential_id, connection__deleted_at=None).first()
        if credential is not None:
            verification.verify_credential(credential=credential)


@shared_task(ignore_result=True)
def verify_connection(organization_id: int, connection_id: int) -> None:
    """Run the checks of every credential of a connection: daily."""
    with access.enter(organization_id):
        connection = _standing(organization_id, connection_id)
        if connection is not None:
            due.verify_all(connection)


@shared_task(ignore_result=True)
def register_webhooks(organization_id: int, connection_id: int) -> None:
    """Make the webhooks of the repositories that are left."""
    with access.enter(organization_id):
        connection = _standing(organization_id, connection_id)
        if connection is not None:
            webhooks.go_on_registering(connection)


@shared_task(ignore_result=True)
def remove_webhooks(organization_id: int, connection_id: int) -> None:
    """Remove the webhooks that are left, where none are wanted any more."""
    with access.enter(organization_id):
        connection = _standing(organization_id, connection_id)
        if connection is not None:
            webhooks.go_on_removing(connection)


@shared_task(ignore_result=True)
def verify_due() -> None:
    """Send the verifications that are due, and those that were lost. Outside of organizations."""
    due.send_due()
    due.send_lost()


@shared_task(ignore_result=True)
def watch_expiry() -> None:
    """Note what has expired, and remind of what will. Outside of any organization."""
    expiry.watch()


@shared_task(ignore_result=True)
def erase_expired_drafts() -> None:
    """Erase the secrets of drafts that nobody touched for an hour. Outside of any organization."""
    due.erase_expired_drafts()


def _standing(organization_id: int, connection_id: int) -> Connection | None:
    """The connection, unless it was deleted meanwhile."""
    rows = Connection.objects.for_organization(organization_id).filter(deleted_at=None)
    found: Connection | None = rows.filter(pk=connection_id).first()
    return found
