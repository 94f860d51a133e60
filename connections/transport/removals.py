"""The end of an endpoint, as answers announce it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_LINKS = re.compile(r'<(https://[^>\s]{1,300})>[^,<]*?rel="?(?:sunset|deprecation)\b')


@dataclass(frozen=True, kw_only=True)
class Removal:
    """An endpoint ends, or has ended."""

    change: str = ""  # the announcement's number: CHANGE-2770
    on: str = ""  # the day, YYYY-MM-DD; empty where nobody said
    url: str = ""  # where it is explained; https
    is_over: bool = False  # whether it answers no more

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def announced(headers: Mapping[str, str]) -> Removal | None:
    """What the headers of an answer say of the end of its endpoint; None where they say nothing.

    Bitbucket documents none. `Sunset` is of RFC 8594, `Deprecation` of RFC 9745, and both name a
    page by `Link`.
    """
    sunset, deprecation = headers.get("Sunset"), headers.get("Deprecation")
    if not sunset and not deprecation:
        return None
    link = _LINKS.search(headers.get("Link", ""))
    return Removal(on=_day(sunset or ""), url=link[1] if link else "")


def _day(text: str) -> str:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return ""
    return _utc(found).date().isoformat()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
