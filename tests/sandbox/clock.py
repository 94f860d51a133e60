"""The sandbox's own time: real time plus whatever a test has added."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Seconds that a test can push forward, so that quotas and tokens run out without waiting."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to real time."""
        self.ahead = 0.0
        self._last = datetime.min.replace(tzinfo=UTC)

    def seconds(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead

    def now(self) -> datetime:
        """The time in UTC, to the microsecond."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def stamp(self) -> datetime:
        """A time later than every stamp before, for things that change."""
        self._last = max(self.now(), self._last + timedelta(microseconds=1))
        return self._last

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self.ahead += seconds
