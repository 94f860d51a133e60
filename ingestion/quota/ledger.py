"""The ledger of requests: what each subject may still ask of Bitbucket in the rolling window.

The row of Quota is the lock. Booking is a short transaction of its own, never inside another;
permits are booked in small lots and kept in this process until their bucket ends.
"""

import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose
from ingestion.clock import database_now
from ingestion.models import Quota
from ingestion.quota.purses import Asker, Purses
from ingestion.quota.window import Window, scaled, width
from tenants.threads import leave_thread

LOT, LONG_BUCKET = 25, 10.0  # permits booked at a time, in buckets of so many seconds or more
SMALL_LOT, LARGE_LOT = 10, 250
LASTS = 1 / 30  # of a bucket: how long a lot lasts whoever asks quicker
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

    def take(self, subject: str, *, purpose: Purpose, whose: int = 0) -> None:
        """Book one request. Raises QuotaExhausted."""
        asker = Asker(subject, purpose, whose)
        with _purses.lock(subject):
            if not _purses.spend(asker):
                try:
                    _book(asker)
                finally:
                    leave_thread()
                _purses.spend(asker)
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


_purses = Purses()
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
    window, limit = Window(quota, now), quota.limit_at(now)
    if quota.blocked_until and quota.blocked_until > now:
        return Usage(limit, window.used, quota.blocked_until)
    is_free = window.used < limit
    return Usage(limit, window.used, None if is_free else window.free_at(window.used - limit))


def book_ahead() -> None:
    """Book anew for whoever has used half of a lot, so that no thread that asks has to wait for it.

    For the thread that writes anyway, outside of any transaction. Who finds nothing left is told
    when it asks.
    """
    for asker in _purses.low():
        with _purses.lock(asker.subject), suppress(QuotaExhausted):
            _book(asker)


def _book(asker: Asker) -> None:
    with transaction.atomic():
        found = _try_to_book(asker)
    if isinstance(found, QuotaExhausted):
        raise found  # what it waits for was noted, and is kept
    permits, ends = found
    _purses.fill(asker, permits, ends)


def _try_to_book(asker: Asker) -> tuple[int, float] | QuotaExhausted:
    quota = _locked(asker.subject)
    now = database_now()
    probe = _pass_block(quota, now)
    window = Window(quota, now)
    left = window.allowed(asker.purpose) - window.used
    mine = window.share(asker.whose, asker.purpose)
    if mine < 1:
        # Who has had its share looks again soon: the others may be done by then.
        until = window.free_at(-left) if left < 1 else now + 2 * width()
        window.claim(asker.whose, until)
        return _exhausted(until)
    size = 1 if probe else _lot(mine, _purses.wanted(asker, width().total_seconds() * LASTS))
    window.add(asker.whose, size)
    ends = window.current + width() - now
    return size, time.monotonic() + ends.total_seconds()


def _lot(left: int, wanted: int) -> int:
    """How many to book together: few near the end, and where a bucket ends soon."""
    usual = LOT if width().total_seconds() >= LONG_BUCKET else SMALL_LOT
    return max(1, min(max(usual, wanted), LARGE_LOT, left // 10))


def _pass_block(quota: Quota, now: datetime) -> bool:
    """Whether the permit to come is a single try after a refusal. Raises QuotaExhausted."""
    if quota.blocked_until is None:
        return False
    if quota.blocked_until > now:
        raise _exhausted(quota.blocked_until)
    if quota.is_probing:  # the try was not refused
        quota.blocked_until, quota.is_probing, quota.blocks = None, False, 0
    else:
        quota.blocked_until, quota.is_probing = now + scaled(PROBE), True
    quota.save(update_fields=["blocked_until", "is_probing", "blocks"])
    return quota.is_probing


def _block(subject: str, refused_for: float, limit: int | None) -> None:
    try:
        with transaction.atomic():
            quota = _locked(subject)
            now = database_now()
            if limit:
                _note_limit(quota, limit, until=now + scaled(BELIEVED))
            if quota.blocked_until and quota.blocked_until > now and not quota.is_probing:
                return  # several requests in flight were refused together
            doubled = scaled(min(FIRST_BLOCK * 2**quota.blocks, LONGEST_BLOCK))
            pause = timedelta(seconds=refused_for) if refused_for else doubled
            quota.blocked_until, quota.is_probing = now + pause, False
            quota.blocks = min(quota.blocks + 1, 10)
            quota.save(update_fields=["blocked_until", "is_probing", "blocks"])
    finally:
        leave_thread()


def _learn_limit(subject: str, limit: int) -> None:
    try:
        with transaction.atomic():
            quota = _locked(subject)
            if (quota.learned_limit, quota.learned_until) != (limit, None):
                _note_limit(quota, limit, until=None)
    finally:
        leave_thread()


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


def _exhausted(resume_at: datetime) -> QuotaExhausted:
    return QuotaExhausted(
        "The requests that Bitbucket allows in a rolling hour are used up.", resume_at=resume_at
    )
