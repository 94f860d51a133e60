"""The streams of a connection: their order, their names, which of them are chosen."""

from connections.connectors import connector
from connections.connectors.base import Stream, UnknownConnector
from connections.models import Connection
from connections.services.selections import copied_streams


def streams_of(connector_key: str) -> tuple[Stream, ...]:
    """All streams of a connector, in the order in which they are copied."""
    try:
        return connector(connector_key).streams
    except UnknownConnector:
        return ()


def stream_label(connector_key: str, stream: str) -> str:
    """How pages name a stream: “Pull requests”."""
    for known in streams_of(connector_key):
        if known.key == stream:
            return known.label
    return stream.replace("_", " ").capitalize()


def chosen_streams(connection: Connection) -> tuple[str, ...]:
    """The keys of the streams that this connection copies, in their order."""
    try:
        return copied_streams(connection)
    except UnknownConnector:
        return ()
