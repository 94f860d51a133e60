"""The geometry of our small charts: plain numbers for SVG attributes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Any

from django.utils import timezone

from tenants import badges, formats

STRIP_LENGTH = 20
RISE, BASELINE, HANG = 24, 25, 10  # pixels above the line, the line, below it
FILLS = {
    "succeeded": "fill-good",
    "running": "fill-busy",
    "queued": "fill-idle",
    "failed": "fill-bad",
    "cancelled": "fill-idle",
    "waiting": "hollow",
    "partial": "hatched",
}


@dataclass(frozen=True)
class Bar:
    """One sync in the strip: where it stands (pixels), how it looks, what it says."""

    pk: int
    state: str
    fill: str
    y: int
    height: int
    sentence: str


@dataclass(frozen=True)
class Part:
    """One part of a stacked bar: where it begins and how wide it is, in percent."""

    name: str
    tone: str
    start: str
    width: str
    percent: int


def strip(syncs: Iterable[Any]) -> list[Bar]:
    """The last 20 syncs, oldest first; the height is the duration beside the longest."""
    last = sorted(syncs, key=lambda sync: (sync.created_at, sync.pk))[-STRIP_LENGTH:]
    seconds = [_taken(sync).total_seconds() for sync in last]
    longest = max(seconds, default=0) or 1
    return [_bar(sync, sqrt(taken / longest)) for sync, taken in zip(last, seconds, strict=True)]


def stacked(parts: Iterable[tuple[str, float, str]]) -> list[Part]:
    """Parts of one whole, side by side; those that would say 0 % are left out."""
    given = list(parts)
    total = sum(value for _, value, _ in given) or 1
    known = [(name, value, tone) for name, value, tone in given if value / total >= 0.005]
    whole = sum(value for _, value, _ in known)
    done, result = 0.0, []
    for name, value, tone in known:
        share = value / whole * 100
        result.append(Part(name, tone, f"{done:.2f}%", f"{share:.2f}%", round(share)))
        done += share
    return result


def _bar(sync: Any, share: float) -> Bar:
    fails = sync.state == "failed"
    height = max(5, round((HANG if fails else RISE) * share))
    return Bar(
        pk=sync.pk,
        state=sync.state,
        fill=FILLS.get(sync.state, "fill-idle"),
        y=BASELINE + 1 if fails else BASELINE - height,
        height=height,
        sentence=_sentence(sync),
    )


def _taken(sync: Any) -> timedelta:
    started = sync.started_at or sync.created_at
    taken: timedelta = (sync.finished_at or timezone.now()) - started
    return max(taken, timedelta())


def _sentence(sync: Any) -> str:
    state = badges.of_sync(sync)["label"]
    moment = formats.when(sync.started_at or sync.created_at, timezone.now())
    return f"{state}, {formats.duration(_taken(sync))}, started {moment}"
