"""How many requests of a slice are under way at a time: as many as Bitbucket answers readily.

Begins with a few. After each round, as many answers as may be under way, it is one more, as long as
answers come about as quickly as they did at best; trouble halves it, once in a round. Credentials
bound it: nobody asks Bitbucket for more at a time with one secret, however quick it is.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from connections.transport.errors import (
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Unavailable,
    Unreachable,
)

FIRST = 8
WITH_EACH = 16  # requests at a time with one credential
SLOWER = 1.25  # times as long as at best: more at a time would only wait longer
TROUBLE = (QuotaExhausted, RateLimited, Unavailable, Unreachable)


class Pace:
    """Shared by the threads of one slice. `now` is how many requests may be under way."""

    def __init__(self, credentials: int = 1) -> None:
        self.most = max(1, min(settings.SYNC_FETCHERS, WITH_EACH * credentials))
        self.first = self.now = min(FIRST, self.most)
        self._changed = threading.Condition()
        self._under_way = 0
        self._best = float("inf")
        self._begin_round()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until one more request may be made, and learn from what becomes of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < self.now)
            self._under_way += 1
        begun, error = time.monotonic(), None
        try:
            yield
        except ProviderError as problem:
            error = problem
            raise
        finally:
            with self._changed:
                self._under_way -= 1
                self.hear(time.monotonic() - begun, error)
                self._changed.notify(max(0, self.now - self._under_way))

    def hear(self, seconds: float, error: ProviderError | None = None) -> None:
        """An answer came after so long, or an error did."""
        if isinstance(error, TROUBLE):
            self._had_trouble = True
        self._answers += 1
        self._seconds += seconds
        if self._answers < self.now:
            return
        mean = self._seconds / self._answers
        if self._had_trouble:
            self.now = max(1, self.now // 2)
        elif mean <= self._best * SLOWER:
            self.now = min(self.most, self.now + 1)
            self._best = min(self._best, mean)
        self._begin_round()

    def _begin_round(self) -> None:
        self._answers, self._seconds, self._had_trouble = 0, 0.0, False
