"""What of a connection is copied: repositories, streams, since when."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from connections.connectors import connector as connector_of
from connections.connectors.base import Connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential

MOST = 10_000  # ids or patterns in a selection
LONGEST_TEXT = 300  # of an id or a pattern
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MODES = {"all": set[str](), "chosen": {"ids"}, "patterns": {"include", "exclude"}}


def clean_selection(connector: Connector, selection: Mapping[str, Any]) -> dict[str, Any]:
    """A selection as it is kept; what is left out means everything that is usual.

    Streams bring those that they need. Raises InvalidFields with names below `selection`.
    """
    unknown = set(selection) - {"repositories", "streams", "since"}
    if unknown:
        told = "This key is not known here."
        raise InvalidFields({f"selection.{name}": told for name in sorted(unknown)})
    repositories = _repositories(_given(selection, "repositories", {"mode": "all"}))
    if repositories["mode"] not in modes_of(connector):
        told = "Repositories are chosen at the connection that it belongs to."
        raise InvalidFields({"selection.repositories.mode": told})
    return {
        "repositories": repositories,
        "streams": _streams(connector, _given(selection, "streams", [])),
        "since": _since(selection.get("since")),
    }


def modes_of(connector: Connector) -> Mapping[str, set[str]]:
    """The ways to choose repositories, each with its lists. Beneath a parent, that one chooses."""
    return {"all": MODES["all"]} if connector.requires_parent else MODES


def selection_schema(connector: Connector) -> dict[str, Any]:
    """JSON Schema of a selection of this connector, as `clean_selection` takes it."""
    texts = {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
        "maxItems": MOST,
    }
    modes = [
        {
            "type": "object",
            "properties": {"mode": {"const": mode}, **dict.fromkeys(sorted(lists), texts)},
            "required": ["mode"],
            "additionalProperties": False,
        }
        for mode, lists in modes_of(connector).items()
    ]
    streams = {"type": "string", "enum": [stream.key for stream in connector.streams]}
    return {
        "type": "object",
        "properties": {
            "repositories": {"oneOf": modes},
            "streams": {"type": "array", "items": streams, "description": "Empty: all."},
            "since": {"type": ["string", "null"], "format": "date", "description": "Null: all."},
        },
        "additionalProperties": False,
    }


def wanted_streams(connector: Connector, selection: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of the streams that a selection copies, in the connector's order."""
    chosen = set(selection.get("streams") or [])
    return tuple(
        stream.key
        for stream in connector.streams
        if stream.required or (stream.key in chosen if chosen else stream.usual)
    )


def copied_streams(connection: Connection) -> tuple[str, ...]:
    """The keys of the streams that a connection copies, in their order; none that one beneath it
    copies in its stead. Raises UnknownConnector.
    """
    wanted = wanted_streams(connector_of(connection.connector), connection.selection)
    return tuple(key for key in wanted if key not in connection.handed_over)


def needless_scopes(credential: Credential) -> tuple[str, ...]:
    """The scopes of a stored credential that nothing needs of what is copied.

    Raises UnknownConnector.
    """
    connection = credential.connection
    return connector_of(connection.connector).needless_scopes(
        credential.scopes,
        method=credential.method,
        kind=credential.kind,
        streams=copied_streams(connection),
    )


def _given(values: Mapping[str, Any], name: str, usual: Any) -> Any:
    """What stands there; the usual only where nothing does: "" or 0 is no way to say everything."""
    value = values.get(name)
    return usual if value is None else value


def _streams(connector: Connector, streams: Any) -> list[str]:
    known = {stream.key: stream for stream in connector.streams}
    if not isinstance(streams, list) or not all(isinstance(key, str) for key in streams):
        raise InvalidFields({"selection.streams": "A list of names of streams."})
    unknown = [key for key in streams if key not in known]
    if unknown:
        told = f"{connector.label} has no stream {unknown[0][:40]!r}. It has {', '.join(known)}."
        raise InvalidFields({"selection.streams": told})
    return connector.with_needed(streams) if streams else []


def _repositories(value: Any) -> dict[str, Any]:
    mode = value.get("mode") if isinstance(value, dict) else None
    if not isinstance(mode, str) or mode not in MODES:
        raise InvalidFields({"selection.repositories.mode": "One of all, chosen, patterns."})
    unknown = set(value) - {"mode"} - MODES[mode]
    if unknown:
        told = f"This does not belong to {mode}."
        raise InvalidFields({f"selection.repositories.{name}": told for name in sorted(unknown)})
    lists = {name: _texts(name, _given(value, name, [])) for name in sorted(MODES[mode])}
    return {"mode": mode, **lists}


def _texts(name: str, value: Any) -> list[str]:
    is_list = isinstance(value, list)
    if is_list and len(value) > MOST:
        told = f"At most {MOST:,} can be named one by one. Choose by name instead."
        raise InvalidFields({f"selection.repositories.{name}": told})
    if not is_list or not all(
        isinstance(one, str) and 0 < len(one) <= LONGEST_TEXT for one in value
    ):
        raise InvalidFields({f"selection.repositories.{name}": "A list of texts."})
    if any("\x00" in one for one in value):
        raise InvalidFields({f"selection.repositories.{name}": "NUL characters are not allowed."})
    return list(dict.fromkeys(value))


def _since(value: Any) -> str | None:
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise InvalidFields({"selection.since": "A date such as 2026-01-31, or null."}) from None
