"""The connectors that are set, by key."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from connections.connectors.base import Connector, UnknownConnector


@cache
def connectors() -> dict[str, Connector]:
    """Every connector of `settings.CONNECTORS`, in that order."""
    made = [import_string(path)() for path in settings.CONNECTORS]
    return {connector.key: connector for connector in made}


def connector(key: str) -> Connector:
    """One connector. Raises UnknownConnector."""
    try:
        return connectors()[key]
    except KeyError:
        raise UnknownConnector(f"There is no connector {key!r}.") from None


def place_in(key: str, settings: Mapping[str, Any]) -> str:
    """What the settings of a connector say of the connected thing; empty where it is not set."""
    known = connectors().get(key)
    return known.place_in(settings) if known is not None else ""
