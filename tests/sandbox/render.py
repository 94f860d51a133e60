"""Records as JSON bytes, each rendered once until the world changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from tests.sandbox.partial import Tree, only
from tests.sandbox.shapes.places import Json, Places


class Renderer:
    """A memory of rendered records, by shape and record."""

    def __init__(self) -> None:
        self.places = Places("", "")
        self._kept: dict[tuple[Any, ...], orjson.Fragment] = {}

    def forget(self) -> None:
        """The world has changed."""
        self._kept.clear()

    def move(self, places: Places) -> None:
        """The server has another address now."""
        self.places = places
        self.forget()

    def shape(
        self, make: Callable[..., Json], *context: Any, wanted: Tree
    ) -> Callable[[Any], orjson.Fragment]:
        """A function from record to rendered bytes; `context` comes before the record.

        `wanted` is what alone is rendered of it; empty for everything.
        """
        kept, places = self._kept, self.places
        prefix = (make, repr(wanted), *(id(one) for one in context))

        def render(record: Any) -> orjson.Fragment:
            key = (*prefix, record if isinstance(record, str) else id(record))
            found = kept.get(key)
            if found is None:
                body = orjson.dumps(only(make(places, *context, record), wanted))
                found = kept[key] = orjson.Fragment(body)
            return found

        return render
