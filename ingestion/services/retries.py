"""Tries again what failed in a sync, and nothing else."""

from collections import Counter

from django.db import IntegrityError, transaction
from django.db.models import Q

from connections.models import Connection
from connections.services.locks import hold
from ingestion.models import COMPARISON, UNFINISHED, Coverage, State, StreamRun, Sync
from ingestion.services.syncs import (
    ConnectionNotReady,
    SyncAlreadyRunning,
    queue_sync,
    streams_of,
    unfinished_sync,
)
from tenants.actor import Actor

WELL = Q(gap__isnull=True) | Q(gap__code__in=("rejected_rows", "no_access"))


class NothingToRetry(Exception):
    """Nothing of this sync failed, or a newer one has tried since."""

    code = "invalid_arguments"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.fields = {"id": message}


def can_retry(sync: Sync) -> bool:
    """Whether something of a sync failed, and no newer one has tried since."""
    if sync.state not in (State.PARTIAL, State.FAILED, State.CANCELLED):
        return False
    return not Sync.objects.filter(connection_id=sync.connection_id, pk__gt=sync.pk).exists()


def retry_sync(*, sync: Sync, trigger: Sync.Trigger | str, by: Actor) -> Sync:
    """Queue a sync of what the connection's last one did not come to a good end with.

    What ended well counts as ended by the new one, so that it asks for the rest alone. Raises
    ConnectionNotReady, SyncAlreadyRunning, NothingToRetry.
    """
    try:
        with transaction.atomic():
            return _retry(hold(sync.connection_id), sync, trigger, by)
    except IntegrityError:
        running = unfinished_sync(sync.connection)
        if running is None:
            raise
        raise SyncAlreadyRunning(running) from None


def _retry(connection: Connection, sync: Sync, trigger: str, by: Actor) -> Sync:
    if connection.status != Connection.Status.AVAILABLE or connection.deleted_at:
        raise ConnectionNotReady(connection)
    latest = Sync.objects.filter(connection=connection).first()
    if latest is not None and latest.state in UNFINISHED:
        raise SyncAlreadyRunning(latest)
    if latest is not None and latest.pk != sync.pk:
        raise NothingToRetry(f"Sync {latest.pk} has tried since. Retry that one.")
    sync.refresh_from_db()
    chosen = [*streams_of(connection), COMPARISON]
    streams = [stream for stream in sync.streams if stream in chosen]
    if sync.state == State.SUCCEEDED or not streams:
        raise NothingToRetry(f"Nothing of sync {sync.pk} failed.")
    again = queue_sync(connection, trigger, sync.mode, streams, by)
    again.goes_on = sync.goes_on or sync.pk
    again.save(update_fields=["goes_on"])
    ended = Coverage.objects.filter(WELL, connection=connection, ended_by=sync.pk)
    done = Counter(ended.exclude(repository=None).values_list("stream", flat=True))
    ended.update(ended_by=again.pk)
    totals = dict(sync.stream_runs.filter(repository=None).values_list("stream", "total"))
    rows = list(again.stream_runs.all())
    for row in rows:
        row.total, row.done = totals.get(row.stream), done[row.stream]
    StreamRun.objects.bulk_update(rows, ["total", "done"])
    return again
