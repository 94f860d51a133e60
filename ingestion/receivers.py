"""What ingestion does when a connection changes."""

from collections.abc import Collection, Sequence
from typing import Any

from django.utils.timezone import now

from connections.models import Connection, Credential
from connections.signals import (
    connection_stopped,
    secret_changed,
    selection_changed,
    streams_moved,
)
from ingestion.models import RepositoryAccess
from ingestion.services.handover import move_streams
from ingestion.services.repositories import apply_selection
from ingestion.services.syncs import cancel_sync, unfinished_sync
from tenants.actor import Actor


def connect() -> None:
    """Listen to the connections."""
    connection_stopped.connect(cancel_on_stop, dispatch_uid="cancel syncs of stopped connections")
    streams_moved.connect(move_on_handover, dispatch_uid="move rows of streams")
    secret_changed.connect(see_anew, dispatch_uid="see anew with another secret")
    selection_changed.connect(select_on_change, dispatch_uid="select what was chosen")


def cancel_on_stop(
    sender: type[Connection], connection: Connection, by: Actor, **kwargs: Any
) -> None:
    """A connection was paused or deleted: its sync stops, in the same transaction."""
    sync = unfinished_sync(connection)
    if sync is not None:
        cancel_sync(sync=sync, by=by)


def move_on_handover(
    sender: type[Connection],
    streams: Sequence[str],
    source: Connection,
    target: Connection,
    **kwargs: Any,
) -> None:
    """Another connection copies these streams: their rows follow, in the same transaction."""
    move_streams(streams, source=source, target=target)


def see_anew(
    sender: type[Credential],
    credential: Credential,
    shown: Collection[str] | None,
    **kwargs: Any,
) -> None:
    """A credential has another secret: what the old one saw says nothing of this one."""
    moment = now()
    rows = RepositoryAccess.objects.filter(credential=credential)
    rows.update(refused_at=moment)
    if shown is not None:
        rows.filter(repository__uuid__in=shown).update(seen_at=moment, refused_at=None)


def select_on_change(sender: type[Connection], connection: Connection, **kwargs: Any) -> None:
    """A selection was changed: the rows that are here follow, in the same transaction."""
    apply_selection(connection)
