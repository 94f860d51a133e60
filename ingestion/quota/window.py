"""A subject's rolling window: what is booked in it, by whom, and how much of it is whose.

Read and changed only while the row of Quota is held.
"""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from connections.transport.ledger import Purpose
from ingestion.models import Quota, QuotaBucket, QuotaClaim

BUCKETS = 60  # to a window
# The current bucket and 61 earlier ones: a permit may be used at the very end of its bucket, and
# the request then still has its way to go. With 60 in all there were 429s.
COUNTED = 62
# Percent of a window that work of a kind leaves to what is more urgent: schedules a tenth, what a
# person started half of that, so that a backfill that a person started keeps no check waiting.
LEFT_TO_OTHERS = {Purpose.SCHEDULE: 10, Purpose.PERSON: 5}
LATEST = timedelta(seconds=30)  # after a wait an organization is back: it keeps its claim so long


def width() -> timedelta:
    return timedelta(seconds=settings.QUOTA_WINDOW / BUCKETS)


def scaled(seconds: float) -> timedelta:
    """Seconds of an hour, in a window that may be shorter."""
    return timedelta(seconds=seconds * settings.QUOTA_WINDOW / 3600)


def bucket_at(now: datetime) -> datetime:
    seconds = width().total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo)


class Window:
    """The buckets of a subject that still count at a moment, oldest first."""

    def __init__(self, quota: Quota, now: datetime) -> None:
        self._quota = quota
        self._now = now
        self.current = bucket_at(now)
        first = self.current - (COUNTED - 1) * width()
        found = quota.buckets.filter(starts_at__gte=first).order_by("starts_at")
        self._booked = list(found.values_list("starts_at", "whose", "booked"))
        self.used = sum(booked for _, _, booked in self._booked)

    def allowed(self, purpose: Purpose) -> int:
        """How many requests work of a kind may fill a window with."""
        limit = self._quota.limit_at(self._now)
        return max(1, limit * (100 - LEFT_TO_OTHERS.get(purpose, 0)) // 100)

    def free_at(self, excess: int) -> datetime:
        """When so many buckets have fallen out that more than `excess` is free again."""
        for starts_at, _, booked in self._booked:
            excess -= booked
            if excess < 0:
                return starts_at + COUNTED * width()
        return self._now + COUNTED * width()

    def share(self, whose: int, purpose: Purpose) -> int:
        """How many of what is left an organization may book: its equal share of the window, and
        beyond that what the others who ask as well leave of theirs.
        """
        left = self.allowed(purpose) - self.used
        others = self._others(whose) if whose and purpose in LEFT_TO_OTHERS else set[int]()
        if not others:
            return left
        use = Counter[int]()
        for _, one, booked in self._booked:
            use[one] += booked
        equal = self.allowed(purpose) // (len(others) + 1)
        claimed = sum(max(0, equal - use[one]) for one in others)
        return min(left, max(equal - use[whose], left - claimed))

    def claim(self, whose: int, until: datetime) -> None:
        """An organization waits: what becomes free meanwhile is not all for the others."""
        if whose:
            QuotaClaim.objects.update_or_create(
                quota=self._quota, whose=whose, defaults={"until": until + LATEST}
            )

    def add(self, whose: int, permits: int) -> None:
        """Book permits in the current bucket."""
        bucket = self._quota.buckets.filter(starts_at=self.current, whose=whose)
        if bucket.update(booked=F("booked") + permits):
            return
        QuotaBucket.objects.create(
            quota=self._quota, starts_at=self.current, whose=whose, booked=permits
        )
        self._quota.buckets.filter(starts_at__lt=self.current - 2 * COUNTED * width()).delete()

    def _others(self, whose: int) -> set[int]:
        """Who else asks of this window now: booked a moment ago, or waits."""
        recent = self.current - width()
        asked = {one for starts_at, one, _ in self._booked if starts_at >= recent}
        waiting = self._quota.claims.filter(until__gt=self._now).values_list("whose", flat=True)
        return (asked | set(waiting)) - {whose, 0}
