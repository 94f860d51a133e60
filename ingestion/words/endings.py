"""Endpoints that Bitbucket removes, as banners: which, when, what stands still without them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.utils.timezone import now

from connections.connectors.base import Endpoint
from connections.models import Connection
from connections.services.removals import Ending, endings_of
from connections.transport.removals import Removal
from tenants import formats
from tenants.formats import listed


@dataclass(kw_only=True)
class Banner:
    """One announcement, on one connection or on several."""

    removal: Removal
    endpoints: list[Endpoint] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)  # as pages name them
    connections: list[Connection] = field(default_factory=list)
    of_all: bool = False  # without it nothing can be read at all

    @property
    def is_over(self) -> bool:
        """Whether something stands still already."""
        return self.removal.is_over

    @property
    def title(self) -> str:
        """What Bitbucket does, and when."""
        return f"Bitbucket {self._does} what is needed for {self._needing}"

    @property
    def effect(self) -> str:
        """What it means for records."""
        what = "at all" if self.of_all else f"of {self._needing}"
        if self.is_over:
            others = "" if self.of_all else " Everything else goes on."
            return f"Nothing new is read {what}. What was synced stays.{others}"
        until = f"Before {self._day} nothing changes" if self._day else "It still works"
        return f"{until}. Then nothing new is read {what}, unless Tributary is updated in time."

    @property
    def touches(self) -> str:
        """The connections by name."""
        return listed(connection.name for connection in self.connections)

    @property
    def _does(self) -> str:
        day, is_past = self._day, self.removal.on <= now().date().isoformat()
        if not self.is_over:
            return f"removes on {day}" if day else "is going to remove"
        if day and not is_past:  # switched off for hours, so that it is noticed
            return f"switches off at times, and removes on {day},"
        return f"removed on {day}" if day else "has removed"

    @property
    def _day(self) -> str:
        on = self.removal.on
        return formats.day(date.fromisoformat(on)) if on else ""

    @property
    def _needing(self) -> str:
        return "the connection itself" if self.of_all else listed(map(_small, self.streams))


def banners(connections: Iterable[Connection]) -> list[Banner]:
    """One banner for each announcement; what has ended comes first, then the next to end."""
    found: dict[tuple[str, ...], Banner] = {}
    for connection in connections:
        for ending in endings_of(connection):
            banner = found.setdefault(_cause(ending), Banner(removal=ending.removal))
            _add(banner, ending, connection)
    return sorted(found.values(), key=lambda one: (not one.is_over, one.removal.on or "9"))


def _cause(ending: Ending) -> tuple[str, ...]:
    """What makes two of them one: the announcement, else the endpoint."""
    removal = ending.removal
    named = removal.change or removal.url or ending.endpoint.path
    return (named, removal.on, str(removal.is_over))


def _add(banner: Banner, ending: Ending, connection: Connection) -> None:
    if ending.endpoint not in banner.endpoints:
        banner.endpoints.append(ending.endpoint)
    if connection not in banner.connections:
        banner.connections.append(connection)
    labels = (stream.label for stream in ending.streams)
    banner.streams += [label for label in labels if label not in banner.streams]
    banner.of_all = banner.of_all or not ending.streams


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
