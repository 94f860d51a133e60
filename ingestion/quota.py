"""The ledger of requests: what each subject may still ask of Bitbucket in the rolling window.

The row of Quota is the lock. Booking is a short transaction of its own, never inside another;
permits are booked in small lots and kept in this process until their bucket ends.
"""

import os
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose
from ingestion.clock import database_now
from ingestion.models import Quota, QuotaBucket

BUCKETS = 60  # to a window
# The current bucket and 61 earlier ones: a permit may be used at the very end of its bucket, and
# the request then still has its way to go. With 60 in all there were 429s.
COUNTED = 62
LOT, LONG_BUCKET = 25, 10.0  # permits booked at a time, in buckets of so many seconds or more
SMALL_LOT = 10
FIRST_BLOCK, LONGEST_BLOCK = 60, 15 * 60  # seconds of a window of an hour
BELIEVED = 3600  # seconds of a window of an hour: a limit that came with a refusal
PROBE = 5  # seconds of a window of an hour that a single try is given


class Usage(NamedTuple):
    """A subject's window: requests allowed and booked, and when the next one is free."""

    limit: int
    used: int
    free_at: datetime | None


class Ledger:
    """Counts requests per subject, across processes. See connections.transport.ledger."""

    def take(self, subject: str, *, purpose: Purpose) -> None:
        """Book one request. Raises QuotaExhausted."""
        reserve = purpose.may_use_reserve
        with _purses.lock(subject):
            if not _purses.spend(subject, reserve):
                _purses.fill(subject, reserve, _book(subject, reserve))
        _taken.count = taken_here() + 1

    def learn(
        self, subject: str, *, limit: int | None = None, refused_for: float | None = None
    ) -> None:
        """Note the limit that an answer told, or a 429. `refused_for` in seconds, 0: not told.

        A limit that came with a 429 is believed for an hour, another one until a new one is told.
        """
        if refused_for is not None:
            _purses.forfeit(subject)
            _block(subject, refused_for, limit)
        elif limit and not _purses.knows(subject, limit):
            _learn_limit(subject, limit)


@dataclass(slots=True)
class _Lot:
    left: int
    ends: float  # monotonic


class _Purses:
    """What this process has booked and not yet used."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Forfeit everything: for a process that was forked, and between tests."""
        self._pid = os.getpid()
        self._locks: dict[str, threading.Lock] = {}
        self._lots: dict[tuple[str, bool], _Lot] = {}
        self._limits: dict[str, int] = {}

    def lock(self, subject: str) -> threading.Lock:
        """One thread at a time books for a subject; the others then share its lot."""
        with self._guard:
            if self._pid != os.getpid():
                self.forget()
            return self._locks.setdefault(subject, threading.Lock())

    def spend(self, subject: str, reserve: bool) -> bool:
        lot = self._lots.get((subject, reserve))
        if lot is None or lot.left < 1 or time.monotonic() >= lot.ends:
            return False
        lot.left -= 1
        return True

    def fill(self, subject: str, reserve: bool, lot: _Lot) -> None:
        """Keep a new lot, less the permit for which it was booked."""
        self._lots[subject, reserve] = _Lot(lot.left - 1, lot.ends)

    def forfeit(self, subject: str) -> None:
        self._limits.pop(subject, None)
        for reserve in (True, False):
            self._lots.pop((subject, reserve), None)

    def knows(self, subject: str, limit: int) -> bool:
        """Whether this limit is noted already; notes it."""
        known = self._limits.get(subject) == limit
        self._limits[subject] = limit
        return known


_purses = _Purses()
_taken = threading.local()


def taken_here() -> int:
    """How many permits this thread has taken: what it asked, and each time that it asked again."""
    return getattr(_taken, "count", 0)


def forget_lots() -> None:
    """Forfeit what this process has booked and not used."""
    _purses.forget()


def usage(subject: str) -> Usage:
    """How a subject stands, for pages. One that never asked has its whole window."""
    quota = Quota.objects.filter(subject=subject).first()
    if quota is None:
        return Usage(settings.QUOTA_LIMIT, 0, None)
    now = database_now()
    buckets = _buckets(quota, now)
    used, limit = sum(booked for _, booked in buckets), quota.limit_at(now)
    if quota.blocked_until and quota.blocked_until > now:
        return Usage(limit, used, quota.blocked_until)
    return Usage(limit, used, None if used < limit else _free_at(buckets, used - limit))


def _book(subject: str, reserve: bool) -> _Lot:
    try:
        with transaction.atomic():
            quota = _locked(subject)
            now = database_now()
            probe = _pass_block(quota, now)
            buckets = _buckets(quota, now)
            limit = quota.limit_at(now)
            allowed = limit if reserve else max(1, limit * 9 // 10)
            left = allowed - sum(booked for _, booked in buckets)
            if left < 1:
                raise _exhausted(_free_at(buckets, -left))
            size = 1 if probe else _lot(left)
            starts_at = _bucket_at(now)
            _add(quota, starts_at, size)
            ends = starts_at + _width() - now
            return _Lot(size, time.monotonic() + ends.total_seconds())
    finally:
        _leave_thread()


def _lot(left: int) -> int:
    """How many to book together: few near the end, and where a bucket ends soon."""
    most = LOT if _width().total_seconds() >= LONG_BUCKET else SMALL_LOT
    return max(1, min(most, left // 10))


def _pass_block(quota: Quota, now: datetime) -> bool:
    """Whether the permit to come is a single try after a refusal. Raises QuotaExhausted."""
    if quota.blocked_until is None:
        return False
    if quota.blocked_until > now:
        raise _exhausted(quota.blocked_until)
    if quota.is_probing:  # the try was not refused
        quota.blocked_until, quota.is_probing, quota.blocks = None, False, 0
    else:
        quota.blocked_until, quota.is_probing = now + _scaled(PROBE), True
    quota.save(update_fields=["blocked_until", "is_probing", "blocks"])
    return quota.is_probing


def _block(subject: str, refused_for: float, limit: int | None) -> None:
    try:
        with transaction.atomic():
            quota = _locked(subject)
            now = database_now()
            if limit:
                _note_limit(quota, limit, until=now + _scaled(BELIEVED))
            if quota.blocked_until and quota.blocked_until > now and not quota.is_probing:
                return  # several requests in flight were refused together
            doubled = _scaled(min(FIRST_BLOCK * 2**quota.blocks, LONGEST_BLOCK))
            pause = timedelta(seconds=refused_for) if refused_for else doubled
            quota.blocked_until, quota.is_probing = now + pause, False
            quota.blocks = min(quota.blocks + 1, 10)
            quota.save(update_fields=["blocked_until", "is_probing", "blocks"])
    finally:
        _leave_thread()


def _learn_limit(subject: str, limit: int) -> None:
    try:
        with transaction.atomic():
            quota = _locked(subject)
            if (quota.learned_limit, quota.learned_until) != (limit, None):
                _note_limit(quota, limit, until=None)
    finally:
        _leave_thread()


def _note_limit(quota: Quota, limit: int, *, until: datetime | None) -> None:
    quota.learned_limit, quota.learned_until = limit, until
    quota.save(update_fields=["learned_limit", "learned_until"])


def _locked(subject: str) -> Quota:
    found = Quota.objects.select_for_update().filter(subject=subject).first()
    if found is None:
        Quota.objects.bulk_create(
            [Quota(subject=subject, limit=settings.QUOTA_LIMIT)], ignore_conflicts=True
        )
        found = Quota.objects.select_for_update().get(subject=subject)
    return found


def _buckets(quota: Quota, now: datetime) -> list[tuple[datetime, int]]:
    """What is booked in the buckets that still count, oldest first."""
    first = _bucket_at(now) - (COUNTED - 1) * _width()
    found = quota.buckets.filter(starts_at__gte=first).order_by("starts_at")
    return list(found.values_list("starts_at", "booked"))


def _add(quota: Quota, starts_at: datetime, permits: int) -> None:
    bucket = quota.buckets.filter(starts_at=starts_at)
    if not bucket.update(booked=F("booked") + permits):
        QuotaBucket.objects.create(quota=quota, starts_at=starts_at, booked=permits)
        quota.buckets.filter(starts_at__lt=starts_at - 2 * COUNTED * _width()).delete()


def _free_at(buckets: list[tuple[datetime, int]], excess: int) -> datetime:
    """When so many buckets have fallen out of the window that more than `excess` is free again."""
    for starts_at, booked in buckets:
        excess -= booked
        if excess < 0:
            return starts_at + COUNTED * _width()
    return database_now() + COUNTED * _width()


def _bucket_at(now: datetime) -> datetime:
    width = _width().total_seconds()
    return datetime.fromtimestamp(now.timestamp() // width * width, tz=now.tzinfo)


def _width() -> timedelta:
    return timedelta(seconds=settings.QUOTA_WINDOW / BUCKETS)


def _scaled(seconds: float) -> timedelta:
    """Seconds of an hour, in a window that may be shorter."""
    return timedelta(seconds=seconds * settings.QUOTA_WINDOW / 3600)


def _exhausted(resume_at: datetime) -> QuotaExhausted:
    return QuotaExhausted(
        "The requests that Bitbucket allows in a rolling hour are used up.", resume_at=resume_at
    )


def _leave_thread() -> None:
    """Give the connection of a fetching thread back: there are many, and they rarely book."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main and not connection.in_atomic_block:
        connection.close()
