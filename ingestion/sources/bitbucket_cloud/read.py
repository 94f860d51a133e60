"""Reads single values out of Bitbucket's JSON: cleaned text, moments, numbers.

Everything foreign is `Any` here and typed from here on. What cannot be read raises Unreadable,
which costs one row, never the page.
"""

from datetime import UTC, datetime
from typing import Any

LABEL = 255  # characters of names; longer ones are cut
Json = dict[str, Any]


class Unreadable(ValueError):
    """A record lacks what a row needs, or has it in another shape."""


def text(value: Any, limit: int | None = None) -> str:
    """Text that any database keeps: no NUL, no lone surrogates. Null becomes empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"expected text, found {type(value).__name__}")
    found: str = value.replace("\0", "\ufffd") if "\0" in value else value
    if not found.isascii():
        found = found.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return found[:limit] if limit else found


def address(value: Any) -> str:
    """An address that a page may link to; empty for `javascript:` and whatever else is none."""
    found = text(value)
    return found if found[:8].lower().startswith(("https://", "http://")) else ""


def label(value: Any) -> str:
    """A name, cut to what a column of names takes."""
    return text(value, LABEL)


def number(value: Any, what: str = "number") -> int:
    """A whole number that must be there."""
    found = number_or_none(value)
    if found is None:
        raise Unreadable(f"the {what} is missing")
    return found


def number_or_none(value: Any) -> int | None:
    """A whole number, or None where there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"expected a whole number, found {type(value).__name__}")
    found: int = value
    if abs(found) >= 2**63:
        raise Unreadable("a number is too large")
    return found


def moment(value: Any, what: str = "time") -> datetime:
    """A moment that must be there, in UTC."""
    found = moment_or_none(value)
    if found is None:
        raise Unreadable(f"the {what} is missing")
    return found


def moment_or_none(value: Any) -> datetime | None:
    """A moment in UTC: with or without a fraction of any length, with Z or an offset."""
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is UTC:
            return found
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Unreadable("a time is not in ISO 8601") from None


def inside(value: Any, *names: str) -> Any:
    """What stands below these names, or None where anything on the way is missing or null."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
