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
    left: int
    ends: float  # monotonic


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

    def fill(self, asker: Asker, lot: Lot) -> None:
        """Keep a new lot, less the permit for which it was booked."""
        self._lots[asker] = Lot(lot.left - 1, lot.ends)

    def forfeit(self, subject: str) -> None:
        self._limits.pop(subject, None)
        for asker in [one for one in self._lots if one.subject == subject]:
            del self._lots[asker]

    def knows(self, subject: str, limit: int) -> bool:
        """Whether this limit is noted already; notes it."""
        known = self._limits.get(subject) == limit
        self._limits[subject] = limit
        return known
