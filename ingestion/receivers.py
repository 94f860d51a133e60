"""What ingestion does when a connection changes."""

from typing import Any

from connections.models import Connection
from connections.signals import connection_stopped
from ingestion.services.syncs import cancel_sync, unfinished_sync
from tenants.actor import Actor


def connect() -> None:
    """Listen to the connections."""
    connection_stopped.connect(cancel_on_stop, dispatch_uid="cancel syncs of stopped connections")


def cancel_on_stop(
    sender: type[Connection], connection: Connection, by: Actor, **kwargs: Any
) -> None:
    """A connection was paused or deleted: its sync stops, in the same transaction."""
    sync = unfinished_sync(connection)
    if sync is not None:
        cancel_sync(sync=sync, by=by)
