"""Pages: numbered ones with a size, and iterator ones with an opaque cursor."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from tests.sandbox.answers import Answer, Refused, error
from tests.sandbox.partial import only, whitelist

Pairs = list[tuple[str, str]]


def page_length(pairs: Pairs, *, maximum: int = 100, default: int = 10) -> int:
    """`pagelen`, or 400 "Invalid pagelen" when it is no number or above the maximum."""
    raw = last(pairs, "pagelen")
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:6]) <= maximum:
        raise Refused(error(400, "Invalid pagelen"))
    return int(raw)


def page_number(pairs: Pairs) -> int:
    """`page`, from 1 on."""
    raw = last(pairs, "page")
    if raw is None:
        return 1
    if not raw.isascii() or not raw.isdigit() or int(raw[:9]) < 1:
        raise Refused(error(400, "Invalid page"))
    return int(raw[:9])


def last(pairs: Pairs, name: str) -> str | None:
    """The last value of a parameter."""
    return next((value for key, value in reversed(pairs) if key == name), None)


def every(pairs: Pairs, name: str) -> list[str]:
    """All values of a repeatable parameter."""
    return [value for key, value in pairs if key == name]


def address(base: str, pairs: Pairs, drop: tuple[str, ...], **new: object) -> str:
    """An URL with some parameters dropped and some put in."""
    kept = [(key, value) for key, value in pairs if key not in drop and key not in new]
    return f"{base}?{urlencode(kept + [(key, str(value)) for key, value in new.items()])}"


def numbered(
    base: str,
    pairs: Pairs,
    records: Sequence[Any],
    render: Any,
    *,
    maximum: int = 100,
    default: int = 10,
    forgets: tuple[str, ...] = (),
) -> Answer:
    """Page N of a list. `forgets` names parameters that `next` loses."""
    length, page = page_length(pairs, maximum=maximum, default=default), page_number(pairs)
    start = (page - 1) * length
    body: dict[str, Any] = {
        "values": [render(record) for record in records[start : start + length]],
        "pagelen": length,
        "size": len(records),
        "page": page,
    }
    if start + length < len(records):
        body["next"] = address(base, pairs, forgets, page=page + 1)
    if page > 1:
        body["previous"] = address(base, pairs, forgets, page=page - 1)
    return _page(body, pairs)


def iterated(
    base: str,
    pairs: Pairs,
    records: Sequence[Any],
    render: Any,
    *,
    start: int,
    cursor: Any,
    parameter: str,
    maximum: int = 100,
    default: int = 10,
) -> Answer:
    """A stretch of a list from `start`; `cursor(record)` names the last one for `next`."""
    length = page_length(pairs, maximum=maximum, default=default)
    shown = records[start : start + length]
    body: dict[str, Any] = {"pagelen": length, "values": [render(record) for record in shown]}
    if start + length < len(records):
        body["next"] = address(base, pairs, (), **{parameter: cursor(shown[-1])})
    return _page(body, pairs)


def _page(body: dict[str, Any], pairs: Pairs) -> Answer:
    return Answer(200, orjson.dumps(only(body, whitelist(pairs))), is_page=True)


def offset(pairs: Pairs, name: str) -> int:
    """How far a sealed cursor points into a list; 0 without one. Raises Refused (400)."""
    cursor = last(pairs, name)
    parts = [0] if cursor is None else unseal(cursor)
    if len(parts) != 1 or type(parts[0]) is not int or parts[0] < 0:
        raise Refused(error(400, "Invalid page"))
    return int(parts[0])


def seal(*parts: object) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def unseal(cursor: str) -> list[Any]:
    """What `seal` was given. Raises Refused (400) for anything else."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as problem:
        raise Refused(error(400, "Invalid cursor")) from problem
    if not isinstance(parts, list):
        raise Refused(error(400, "Invalid cursor"))
    return parts
