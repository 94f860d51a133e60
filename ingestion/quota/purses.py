"""What this process has booked and not yet used."""

import os
import threading
import time
from dataclasses import dataclass
from typing import NamedTuple

from connections.transport.ledger import Purpose


class Asker(NamedTuple):
    """Who asks: for which subject, for what, and in the name of which organization (0: none)."""

    subject: str
    purpose: Purpose
    whose: int


@dataclass(slots=True)
class Lot:
    """Permits of one bucket. `size` tells how many there were `since` then; times are monotonic."""

    size: int
    left: int
    ends: float
    since: float

    @property
    def is_low(self) -> bool:
        """Whether half of it is used, but not all. A single permit is a try, and no such lot."""
        return self.size > 1 and 0 < self.left <= self.size // 2

    def rate(self, moment: float) -> float:
        """How many permits a second it gave."""
        return (self.size - self.left) / max(moment - self.since, 0.001)


class Purses:
    """Lots of permits, and limits that are noted already. A lot is worth nothing when it ends."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Forfeit everything: for a process that was forked, and between tests."""
        self._pid = os.getpid()
        self._locks: dict[str, threading.Lock] = {}
        self._lots: dict[Asker, Lot] = {}
        self._limits: dict[str, int] = {}

    def lock(self, subject: str) -> threading.Lock:
        """One thread at a time books for a subject; the others then share its lot."""
        with self._guard:
            if self._pid != os.getpid():
                self.forget()
            return self._locks.setdefault(subject, threading.Lock())

    def spend(self, asker: Asker) -> bool:
        lot = self._lots.get(asker)
        if lot is None or lot.left < 1 or time.monotonic() >= lot.ends:
            return False
        lot.left -= 1
        return True

    def fill(self, asker: Asker, permits: int, ends: float) -> None:
        """Keep a new lot beside what is left of the same bucket."""
        moment, before = time.monotonic(), self._lots.get(asker)
        if before is not None and before.ends > moment:
            permits += before.left
        self._lots[asker] = Lot(permits, permits, ends, moment)

    def wanted(self, asker: Asker, seconds: float) -> int:
        """How many permits an asker takes in so many seconds, as its last lot tells."""
        lot = self._lots.get(asker)
        return 0 if lot is None else int(lot.rate(time.monotonic()) * seconds)

    def low(self) -> list[Asker]:
        """Those whose lot is half used already, in a bucket that still goes on."""
        moment = time.monotonic()
        return [one for one, lot in list(self._lots.items()) if lot.is_low and lot.ends > moment]

    def forfeit(self, subject: str) -> None:
        self._limits.pop(subject, None)
        for asker in [one for one in list(self._lots) if one.subject == subject]:
            del self._lots[asker]

    def knows(self, subject: str, limit: int) -> bool:
        """Whether this limit is noted already; notes it."""
        known = self._limits.get(subject) == limit
        self._limits[subject] = limit
        return known
