"""How each provider's streams are walked, and how an answer becomes rows."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from ingestion.sources.base import Source


@cache
def _kind(connector: str) -> type[Source]:
    found: type[Source] = import_string(settings.SOURCES[connector])
    return found


def source_kind(connector: str) -> type[Source]:
    """What is known of a connector's source before anything is asked: its streams, their costs."""
    return _kind(connector)


def source(connector: str, client: Any) -> Source:
    """The source of a connector, which asks through this client."""
    return _kind(connector)(client)  # type: ignore[call-arg]


def counted_streams(connector: str) -> tuple[str, ...]:
    """The streams whose records the provider of a connector can count."""
    return _kind(connector).counted
