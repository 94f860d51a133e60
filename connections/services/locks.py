"""The order of locks: a connection first, then its drafts, its credentials, its sync."""

from typing import Any

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


def next_version(row: Connection | Credential) -> None:
    """Count an edit, in an UPDATE that asks for the version that was read: an etag stands or falls
    with it, whatever else is held. Raises VersionChanged.
    """
    rows: Any = type(row)._default_manager.filter(pk=row.pk, version=row.version, deleted_at=None)
    if not rows.update(version=row.version + 1):
        raise VersionChanged
    row.version += 1
