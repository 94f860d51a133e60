"""What the connectors declare, put together for methods that take any of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connections.connectors import connectors
from connections.connectors.base import Connector, Field, Method
from connections.connectors.schema import schema_of
from connections.services.schedules import schedule_schema
from connections.services.selections import selection_schema
from tenants.api.shapes import Schema, id_schema


def connector_settings() -> Schema:
    """What identifies the connected thing, by connector."""
    return _any((one.label, schema_of(one.settings)) for one in connectors().values())


def method_settings() -> Schema:
    """Settings beside a secret, by connector and method."""
    return _any((_title(*each), schema_of(each[1].settings)) for each in _methods())


def method_secrets() -> Schema:
    """Secrets, by connector and method."""
    return _any((_title(*each), schema_of(each[1].secrets)) for each in _methods())


def replaced_secrets() -> Schema:
    """The same for a change, where none are left out or empty."""
    empty = {"type": "object", "maxProperties": 0, "title": "The secrets that there are"}
    return {"anyOf": [empty, method_secrets()]}


def changed_settings() -> Schema:
    """Settings to merge: nothing is required, null removes."""
    return _any((_title(*each), _partial(each[1].settings)) for each in _methods())


def new_connections() -> list[Schema]:
    """The parts of a new connection that its connector decides on, by connector."""
    return [_new_connection(one) for one in connectors().values()]


def _new_connection(connector: Connector) -> Schema:
    parts = {
        "settings": _part(schema_of(connector.settings)),
        "schedule": _part(schedule_schema(connector)),
        "selection": _part(selection_schema(connector)),
    }
    has_parent = bool(connector.requires_parent)
    parts["parent_id"] = id_schema() if has_parent else {"type": "null"}
    return {
        "title": connector.label,
        "properties": {"type": {"const": connector.key}, **parts},
        "required": ["type", "settings", *(["parent_id"] if has_parent else [])],
    }


def all_selections() -> Schema:
    """What is synced, by connector."""
    return _any((one.label, selection_schema(one)) for one in connectors().values())


def all_schedules() -> Schema:
    """When it is synced, by connector."""
    return _any((one.label, schedule_schema(one)) for one in connectors().values())


def _methods() -> Iterator[tuple[Connector, Method]]:
    for connector in connectors().values():
        for method in connector.methods:
            if not method.by_consent:
                yield connector, method


def _title(connector: Connector, method: Method) -> str:
    return f"{connector.label}: {method.label}"


def _partial(fields: Sequence[Field]) -> Schema:
    schema = schema_of(fields)
    schema.pop("allOf", None)
    properties = {
        name: {"anyOf": [one, {"type": "null"}]} for name, one in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _part(schema: Schema) -> Schema:
    """A schema as it stands inside another one."""
    return {name: value for name, value in schema.items() if name != "$schema"}


def _any(schemas: Iterable[tuple[str, dict[str, Any]]]) -> Schema:
    titled = [{**_part(schema), "title": title} for title, schema in schemas]
    return titled[0] if len(titled) == 1 else {"anyOf": titled}
