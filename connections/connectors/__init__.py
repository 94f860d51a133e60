"""The connectors that are set, by key."""

from functools import cache

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
