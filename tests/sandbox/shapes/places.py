"""Addresses inside answers, and the ways in which Bitbucket writes times and texts."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the API and the web pages live: "http://127.0.0.1:1234/2.0" and its origin."""

    api: str
    web: str

    def link(self, *segments: object) -> Json:
        """A link into the API."""
        return {"href": f"{self.api}/{_path(segments)}"}

    def page(self, *segments: object) -> Json:
        """A link to a web page."""
        return {"href": f"{self.web}/{_path(segments)}"}


@lru_cache(1 << 16)  # an answer names the same few people and repositories a hundred times
def _path(segments: tuple[object, ...]) -> str:
    return "/".join(quote(str(segment), safe=":@") for segment in segments)


def micro(moment: datetime | None) -> str | None:
    """Like 2023-05-12T11:45:48.675990+00:00; without a fraction when it is a whole second."""
    return moment.isoformat() if moment else None


def zulu(moment: datetime | None, digits: int) -> str | None:
    """Like 2020-11-03T22:14:50.671Z: as pipelines write it, with any number of digits."""
    if moment is None:
        return None
    plain = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.microsecond:06d}{moment.microsecond % 1000:03d}"[:digits]
    return f"{plain}.{fraction}Z" if digits else f"{plain}Z"


def rendered(raw: str) -> Json:
    """A text with its markup, as Bitbucket repeats it."""
    body = f"<p>{html.escape(raw)}</p>" if raw else ""
    return {"type": "rendered", "raw": raw, "markup": "markdown", "html": body}
