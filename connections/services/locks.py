"""The order of locks: a connection first, then its drafts, its credentials, its sync."""

from connections.models import Connection, Credential
from connections.services.errors import CredentialDeleted, VersionChanged


def hold(connection_id: int) -> Connection:
    """The connection's row, held to the end of the transaction.

    Whoever changes a connection together with what belongs to it begins here, so that no two wait
    for each other. `no_key`: a worker that writes records of it meanwhile does not wait.
    """
    row: Connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    return row


def hold_credential(credential: Credential, version: int | None) -> None:
    """Read a credential's row again, and hold it, its connection first.

    Raises VersionChanged, CredentialDeleted.
    """
    hold(credential.connection_id)
    rows = Credential.objects.select_for_update(no_key=True).filter(pk=credential.pk)
    if not rows.filter(deleted_at=None).exists():
        raise CredentialDeleted
    credential.refresh_from_db(from_queryset=rows)
    if version is not None and credential.version != version:
        raise VersionChanged
