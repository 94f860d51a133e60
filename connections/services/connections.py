"""Everything that changes a connection. Pages, API and tasks all come through here."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.models import Connection, ConnectLink
from connections.services.errors import (
    ConnectionDeleted,
    ConnectionInUse,
    VersionChanged,
)
from connections.services.grants import erase_unused
from connections.services.hands import Hands
from connections.services.hook_places import webhook_rows
from connections.services.locks import hold, next_version
from connections.services.parents import give_back, hold_parent
from connections.services.rows import (
    check_name,
    clean_name,
    store_connection,
)
from connections.services.schedules import clean_schedule, next_run
from connections.services.selections import clean_selection, wanted_streams
from connections.services.states import reconsider
from connections.services.tags import clean_tags, store_tags, tags_of
from connections.services.trail import note
from connections.services.webhook_secrets import forget_secrets
from connections.services.webhooks import remove_with
from connections.signals import connection_stopped, selection_changed
from tenants.actor import Actor


@transaction.atomic
def update_connection(
    *,
    connection: Connection,
    by: Actor,
    name: str | None = None,
    schedule: Mapping[str, Any] | None = None,
    selection: Mapping[str, Any] | None = None,
    choices: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: int | None = None,
    dry_run: bool = False,
) -> Connection:
    """Change what people may change; what is left out stays. A dry run takes it all back.

    `selection` and `tags` are whole ones; `choices` are parts of a selection, such as `since`, and
    its others stay.
    Raises InvalidFields, NameTaken, VersionChanged.
    """
    row = _locked(connection, version)
    found = row.version
    before = {"name": row.name, "schedule": row.schedule, "selection": row.selection}
    if name is not None:
        row.name = clean_name(name)
        check_name(row.organization_id, row.name, row)
    if choices is not None:
        selection = {**row.selection, **choices}
    if selection is not None:
        row.selection = clean_selection(connector_of(row.connector), selection)
    if schedule is not None:
        row.schedule = clean_schedule(schedule, connector_of(row.connector))
        waits = row.status in {Connection.Status.DISABLED, Connection.Status.PENDING}
        row.next_sync_at = None if waits else _next_sync(row)
    after = {"name": row.name, "schedule": row.schedule, "selection": row.selection}
    if tags is not None:
        before["tags"], after["tags"] = tags_of(row), clean_tags(tags)
    changes = {key: [old, after[key]] for key, old in before.items() if old != after[key]}
    if changes:
        next_version(row)
        if _reads_more(row, before["selection"]):
            row.next_verification_at = now()
        store_connection(row)
        if "tags" in changes:
            store_tags(row, after["tags"])
        note("connections.updated", row, by, changes)
        if "selection" in changes:
            selection_changed.send(sender=Connection, connection=row)
    if dry_run:
        transaction.set_rollback(True)
        row.version = found  # the etag of a dry run is that of the row as it stays
        return row
    connection.refresh_from_db()
    return connection


@transaction.atomic
def disable_connection(*, connection: Connection, by: Actor, version: int | None = None) -> None:
    """Pause: no sync starts, the running one stops, records stay."""
    row = _locked(connection, version)
    if row.status != Connection.Status.DISABLED:
        row.status, row.disabled_at, row.next_sync_at = Connection.Status.DISABLED, now(), None
        next_version(row)
        row.save()
        note("connections.disabled", row, by)
        connection_stopped.send(sender=Connection, connection=row, by=by)
    connection.refresh_from_db()


@transaction.atomic
def enable_connection(*, connection: Connection, by: Actor, version: int | None = None) -> None:
    """Go on after a pause, in the state that the credentials allow."""
    row = _locked(connection, version)
    if row.status == Connection.Status.DISABLED:
        finished = bool(row.identity)
        row.status = Connection.Status.AVAILABLE if finished else Connection.Status.PENDING
        row.disabled_at = None
        row.status_code = row.status_message = ""
        row.next_sync_at = _next_sync(row) if finished else None
        row.next_verification_at = now() if finished else None
        next_version(row)
        row.save()
        note("connections.enabled", row, by)
        reconsider(row)
    connection.refresh_from_db()


def delete_connection(*, connection: Connection, by: Actor, version: int | None = None) -> None:
    """Delete softly: its syncs stop, all its secrets are erased at once, its records stay a while.

    Its webhooks are removed at the provider after that, with the secrets that it had: what does not
    succeed is told in the audit trail. So it makes requests where there are webhooks: never call it
    in a transaction then. Raises ConnectionInUse, VersionChanged.
    """
    if not webhook_rows(connection).exists():
        _delete(connection, by, version)
        return
    with Hands(connection, by) as hands:
        _delete(connection, by, version)
        remove_with(hands, connection, by)


@transaction.atomic
def _delete(connection: Connection, by: Actor, version: int | None) -> None:
    parent = hold_parent(connection)
    row = _locked(connection, version)
    dependents = list(row.children.filter(deleted_at=None))
    if dependents:
        raise ConnectionInUse(dependents)
    moment = now()
    grants = set(row.credentials.values_list("grant", flat=True))
    grants |= set(row.drafts.values_list("grant", flat=True))
    row.credentials.filter(deleted_at=None).update(secrets=None, deleted_at=moment)
    row.drafts.all().delete()
    forget_secrets(row)
    ConnectLink.objects.filter(connection=row, used_at=None, revoked_at=None).update(
        revoked_at=moment
    )
    erase_unused(*grants)
    next_version(row)
    row.deleted_at, row.next_sync_at, row.next_verification_at = moment, None, None
    row.save()
    note("connections.deleted", row, by)
    connection_stopped.send(sender=Connection, connection=row, by=by)
    give_back(row, parent, by)
    connection.refresh_from_db()


def note_rename_read(*, connection: Connection) -> None:
    """Somebody has read what the workspace was called before: it is not told again."""
    Connection.objects.filter(pk=connection.pk).update(renamed_from="")


def _locked(connection: Connection, version: int | None = None) -> Connection:
    """The row, held, if it still stands. Raises VersionChanged, ConnectionDeleted."""
    row = hold(connection.pk)
    if row.deleted_at or (version and row.version != version):
        raise VersionChanged if version else ConnectionDeleted
    return row


def _reads_more(connection: Connection, before: Mapping[str, Any]) -> bool:
    """Whether it has streams that the selection before had not: credentials are to prove them."""
    kind = connector_of(connection.connector)
    wanted = wanted_streams(kind, connection.selection)
    return not set(wanted) <= set(wanted_streams(kind, before))


def _next_sync(connection: Connection) -> Any:
    return next_run(connection.schedule, now(), connection.organization.timezone)
