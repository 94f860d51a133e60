"""Endpoints that a connection needs and that the provider removes, or has announced to."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import Connector, Endpoint, Stream, UnknownConnector
from connections.connectors.endings import Told, removal_of
from connections.models import Connection
from connections.services.locks import hold
from connections.services.selections import copied_streams
from connections.transport.removals import Removal


@dataclass(frozen=True, kw_only=True)
class Ending:
    """An endpoint that ends, and what of a connection falls away with it: nothing, or all."""

    endpoint: Endpoint
    removal: Removal
    streams: tuple[Stream, ...]  # empty: the connection itself


def note_removals(connection: Connection, told: Told, moment: datetime | None = None) -> None:
    """Keep what answers told of endpoints: one that answers as ever does not end any more."""
    if not connection.removals and not any(told.values()):
        return
    with transaction.atomic():
        row = hold(connection.pk)
        kept = {(one["method"], one["path"]): one for one in row.removals}
        since = (moment or now()).isoformat()
        for (method, path), removal in told.items():
            before = kept.pop((method, path), None)
            if removal is not None:
                named = {"method": method, "path": path, **removal.as_dict()}
                kept[method, path] = {**named, "since": before["since"] if before else since}
        removals = sorted(kept.values(), key=lambda one: (one["path"], one["method"]))
        if removals != row.removals:
            Connection.objects.filter(pk=row.pk).update(removals=removals)
        connection.removals = removals


def endings_of(connection: Connection) -> list[Ending]:
    """What ends of that which this connection copies: as answers told, else as is declared."""
    try:
        kind, copied = connector(connection.connector), copied_streams(connection)
    except UnknownConnector:
        return []
    told = {(one["method"], one["path"]): removal_of(one) for one in connection.removals}
    found = []
    for endpoint in kind.endpoints:
        removal = told.get((endpoint.method, endpoint.path)) or endpoint.removal
        touched = _touched(kind, endpoint, copied)
        if removal is not None and (touched or not endpoint.streams):
            found.append(Ending(endpoint=endpoint, removal=removal, streams=touched))
    return found


def _touched(kind: Connector, endpoint: Endpoint, copied: tuple[str, ...]) -> tuple[Stream, ...]:
    """The copied streams that need an endpoint, and those that need one of these."""
    keys = set(endpoint.streams)
    for stream in kind.streams:
        if keys.intersection(stream.needs):
            keys.add(stream.key)
    return tuple(one for one in kind.streams if one.key in keys and one.key in copied)
