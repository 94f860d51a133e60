"""Filtering and sorting of listings, quick enough for worlds of any size."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from tests.sandbox.answers import Refused, error
from tests.sandbox.bbql import BadQuery, Compare, Field, Joined, conjuncts, parse, predicate

KEPT = 512
NARROWING = {">", ">=", "<", "<=", "="}


class Listings:
    """Sorted and filtered lists, remembered until the world changes."""

    def __init__(self) -> None:
        self._sorted: dict[tuple[Any, ...], list[Any]] = {}
        self._selected: dict[tuple[Any, ...], list[Any]] = {}

    def forget(self) -> None:
        """The world has changed."""
        self._sorted.clear()
        self._selected.clear()

    def kept(self, key: tuple[Any, ...], make: Callable[[], list[Any]]) -> list[Any]:
        """The list under this key, made when it is not there."""
        found = self._selected.get(key)
        if found is None:
            if len(self._selected) > KEPT:
                self._selected.clear()
            found = self._selected[key] = make()
        return found

    def select(
        self,
        owner: tuple[Any, ...],
        records: Callable[[], Iterable[Any]],
        fields: Mapping[str, Field],
        query: str,
        sort: str,
    ) -> list[Any]:
        """Records that match `query` in the order of `sort`. Raises Refused (400)."""
        name, descending = sort.removeprefix("-"), sort.startswith("-")
        if name not in fields:
            raise Refused(error(400, f"Invalid sort field: {name}"))
        everything = self._in_order(owner, records, name, fields[name])

        def make() -> list[Any]:
            found = _filter(everything, name, fields, query) if query else everything
            return found[::-1] if descending else found

        return self.kept((*owner, query, sort), make)

    def _in_order(
        self, owner: tuple[Any, ...], records: Callable[[], Iterable[Any]], name: str, get: Field
    ) -> list[Any]:
        key = (*owner, name)
        found = self._sorted.get(key)
        if found is None:
            found = self._sorted[key] = sorted(
                records(), key=lambda record: _orderable(get(record))
            )
        return found


def _orderable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)


def _filter(ordered: list[Any], name: str, fields: Mapping[str, Field], query: str) -> list[Any]:
    try:
        parts = conjuncts(parse(query))
        low, high, rest = _narrow(ordered, name, fields[name], parts)
        keep = predicate(Joined(tuple(rest), every=True), fields)
        return [record for record in ordered[low:high] if keep(record)]
    except (BadQuery, TypeError) as problem:
        raise Refused(error(400, str(problem))) from problem


def _narrow(
    ordered: list[Any], name: str, get: Field, parts: tuple[Any, ...]
) -> tuple[int, int, list[Any]]:
    """The stretch that conditions on the sorted field leave, and the other conditions."""
    low, high, rest = 0, len(ordered), []
    for part in parts:
        if not _narrows(part, name):
            rest.append(part)
            continue
        bound = _orderable(part.value)
        first = bisect_left(ordered, bound, key=lambda record: _orderable(get(record)))
        after = bisect_right(ordered, bound, key=lambda record: _orderable(get(record)))
        if part.operator in (">", ">=", "="):
            low = max(low, after if part.operator == ">" else first)
        if part.operator in ("<", "<=", "="):
            high = min(high, first if part.operator == "<" else after)
    return low, high, rest


def _narrows(part: Any, name: str) -> bool:
    return (
        isinstance(part, Compare)
        and part.field == name
        and part.operator in NARROWING
        and isinstance(part.value, datetime | int)
    )
