"""What a choice of repositories by patterns takes in, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ingestion.services.repositories import Named, fitting
from tenants.formats import number

SHOWN = 12  # names


@dataclass(frozen=True, kw_only=True)
class Preview:
    """How many fit, and the first of them."""

    sentence: str
    names: list[str]
    more: int


def preview_of(rows: Iterable[Named], typed: Mapping[str, Any]) -> Preview:
    """What patterns as they are typed take in, of these repositories."""
    patterns = {
        name: [line.strip() for line in typed.get(name, ()) if line.strip()]
        for name in ("include", "exclude")
    }
    known = list(rows)
    found = fitting(known, {"mode": "patterns", **patterns})
    verb = "fits" if len(found) == 1 else "fit"
    return Preview(
        sentence=f"{number(len(found))} of {number(len(known))} {verb} now.",
        names=found[:SHOWN],
        more=max(0, len(found) - SHOWN),
    )
