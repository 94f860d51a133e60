"""Checks of values that every service of tenants takes."""

from functools import cache
from zoneinfo import available_timezones

from tenants.services.errors import DoesNotFit

LONGEST_NAME = 100


def clean_name(name: str, *, longest: int = LONGEST_NAME) -> str:
    """A name without space around it. Raises DoesNotFit."""
    cleaned = " ".join(name.split())
    if not cleaned:
        raise DoesNotFit("name", "Give it a name.")
    if len(cleaned) > longest:
        raise DoesNotFit("name", f"A name has at most {longest} characters.")
    if not cleaned.isprintable():
        raise DoesNotFit("name", "A name has letters, digits, signs and spaces only.")
    return cleaned


@cache
def time_zones() -> tuple[str, ...]:
    """The names of all time zones, UTC first."""
    return ("UTC", *sorted(zone for zone in available_timezones() if "/" in zone))


def clean_timezone(name: str) -> str:
    """A known time zone. Raises DoesNotFit."""
    if name not in time_zones():
        raise DoesNotFit("timezone", "Choose a time zone of the list.")
    return name
