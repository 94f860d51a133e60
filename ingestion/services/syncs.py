"""Everything that starts and stops a sync. Pages, API and the tick all come through here."""

from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from connections.connectors import connector
from connections.models import Connection
from connections.services.locks import hold
from connections.services.selections import copied_streams
from ingestion.clock import database_now
from ingestion.dispatch import send_slice_on_commit
from ingestion.models import COMPARISON, UNFINISHED, State, StreamRun, Sync
from ingestion.services.uses import note_uses
from tenants.actor import Actor
from tenants.services import audit


class SyncAlreadyRunning(Exception):
    """The connection has an unfinished sync; it is named in `sync`."""

    code = "sync_already_running"

    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        self.message = f"Sync {sync.pk} of this connection has not finished."
        super().__init__(self.message)


class ConnectionNotReady(Exception):
    """The connection is not finished, paused, or needs a person first."""

    code = "connection_not_ready"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.message = f"“{connection.name}” {_why_not(connection)}"
        super().__init__(self.message)


class UnknownStream(Exception):
    """A stream was named that the connection does not copy."""

    code = "invalid_arguments"

    def __init__(self, stream: str) -> None:
        self.message = f"This connection has no stream “{stream}”."
        self.fields = {"streams": self.message}
        super().__init__(self.message)


def start_sync(
    *,
    connection: Connection,
    trigger: Sync.Trigger | str,
    by: Actor,
    mode: Sync.Mode | str = Sync.Mode.INCREMENTAL,
    streams: Sequence[str] | None = None,
) -> Sync:
    """Queue a sync and wake a worker for it. The caller has checked the actor's role.

    `streams` narrows this run; what they need is added. With the comparison among them it asks
    Bitbucket for its counts at its end, and copies nothing where that is all. Raises
    ConnectionNotReady, UnknownStream, SyncAlreadyRunning.
    """
    try:
        with transaction.atomic():
            return _start(hold(connection.pk), trigger, mode, streams, by)
    except IntegrityError:
        running = unfinished_sync(connection)
        if running is None:
            raise
        raise SyncAlreadyRunning(running) from None


def _start(
    connection: Connection,
    trigger: str,
    mode: str,
    streams: Sequence[str] | None,
    by: Actor,
) -> Sync:
    """With the connection held, so that it is not paused between this look and its sync."""
    if connection.status != Connection.Status.AVAILABLE or connection.deleted_at:
        raise ConnectionNotReady(connection)
    chosen = streams_of(connection, streams)
    running = unfinished_sync(connection)
    if running is not None:
        raise SyncAlreadyRunning(running)
    return queue_sync(connection, trigger, mode, chosen, by)


def queue_sync(
    connection: Connection, trigger: str, mode: str, streams: Sequence[str], by: Actor
) -> Sync:
    """A sync of a connection that is held and has none unfinished; a worker is woken for it."""
    sync = Sync.objects.create(
        connection=connection,
        organization_id=connection.organization_id,
        trigger=trigger,
        mode=mode,
        streams=list(streams),
        counts=no_counts(),
        requested_by=by.name,
        dispatched_at=database_now(),
    )
    open_streams([sync])
    if by.type != "system":
        _note(sync, "syncs.started", by)
    send_slice_on_commit(sync.organization_id, sync.pk)
    return sync


def cancel_sync(*, sync: Sync, by: Actor) -> bool:
    """Stop a sync; what was copied stays. False if it had already come to its end.

    The worker that holds it notices at its next transaction, which writes nothing.
    """
    with transaction.atomic():
        touched = Sync.objects.filter(pk=sync.pk, state__in=UNFINISHED).update(
            state=State.CANCELLED,
            reason=Sync.Reason.NONE,
            resume_at=None,
            lease_until=None,
            finished_at=Now(),
        )
        if touched:
            StreamRun.objects.filter(sync=sync, state__in=UNFINISHED).update(
                state=State.CANCELLED, finished_at=Now()
            )
            _note(sync, "syncs.cancelled", by)
            note_uses(sync.pk)
    sync.refresh_from_db()
    return bool(touched)


def unfinished_sync(connection: Connection) -> Sync | None:
    """The sync of this connection that has not come to its end, if there is one."""
    return Sync.objects.filter(connection=connection, state__in=UNFINISHED).first()


def streams_of(connection: Connection, wanted: Sequence[str] | None = None) -> list[str]:
    """The streams of a sync in their order, with those that they need; the comparison is the last.

    Raises UnknownStream.
    """
    if wanted and COMPARISON in wanted:
        others = [name for name in wanted if name != COMPARISON]
        return [*(streams_of(connection, others) if others else ()), COMPARISON]
    selected = copied_streams(connection)
    for name in wanted or ():
        if name not in selected:
            raise UnknownStream(name)
    return connector(connection.connector).with_needed(wanted or selected)


def open_streams(syncs: Sequence[Sync]) -> None:
    """Write a row for each stream of these new syncs: the database reads them out of the syncs.

    For the hundreds of a tick the ORM takes longer than for all else that it does.
    """
    own = ("sync_id", "organization_id", "stream")
    fields = [one for one in StreamRun._meta.concrete_fields if not one.null]
    given = {
        one.attname: one.get_default()
        for one in fields
        if one.attname not in own and not one.primary_key
    }
    statement = _OPEN.format(
        runs=StreamRun._meta.db_table,
        syncs=Sync._meta.db_table,
        each=_EACH[connection.vendor],
        columns=", ".join((*own, *given)),
        given=", ".join(["%s"] * len(given)),
        keys=", ".join(["%s"] * len(syncs)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*given.values(), *(sync.pk for sync in syncs)])


_OPEN = """
    INSERT INTO {runs} ({columns}) SELECT sync.id, organization_id, one.value, {given}
    FROM {syncs} AS sync, {each} WHERE sync.id IN ({keys}) ORDER BY sync.id, one.key
"""
_EACH = {
    "postgresql": "jsonb_array_elements_text(streams) WITH ORDINALITY AS one (value, key)",
    "sqlite": "json_each(streams) AS one",
}


def no_counts() -> dict[str, int]:
    """The counts of a sync that has read nothing."""
    return dict.fromkeys(("read", "created", "updated", "unchanged", "removed", "rejected"), 0)


def _note(sync: Sync, event_type: str, by: Actor) -> None:
    audit.record(
        organization=sync.organization_id,
        event_type=event_type,
        by=by,
        target={"type": "sync", "id": sync.pk, "name": sync.connection.name},
        changes={"connection_id": sync.connection_id, "mode": sync.mode},
    )


def _why_not(connection: Connection) -> str:
    if connection.deleted_at:
        return "was deleted."
    return {
        Connection.Status.PENDING: "is not finished. Finish connecting it first.",
        Connection.Status.DISABLED: "is paused. Enable it first.",
        Connection.Status.ERROR: f"needs someone first. {connection.status_message}".strip(),
    }.get(Connection.Status(connection.status), "cannot be synced now.")
