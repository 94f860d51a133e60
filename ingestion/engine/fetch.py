"""Threads that walk, and the bounded queue to the one thread that writes.

A fetching thread asks Bitbucket and parses; it touches no row. The queue is bounded, so memory
does not grow with the number of records.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ingestion.engine.seat import Seat
from ingestion.engine.visits.base import Visit
from ingestion.quota import taken_here
from ingestion.sources.base import Page, Source

QUEUED_PAGES = 32
LOOK_UP = 0.2  # seconds between two looks at whether to stop
GATHERED = 0.05  # seconds for which pages are gathered into one batch


@dataclass(slots=True)
class Verdict:
    """Whether any row of a page differed from the stored one; the walk waits for it."""

    is_given: threading.Event = field(default_factory=threading.Event)
    differs: bool = False

    def give(self, differs: bool) -> None:
        self.differs = differs
        self.is_given.set()


@dataclass(slots=True)
class Arrived:
    """A page, and how many requests it took."""

    visit: Visit
    page: Page
    requests: int
    verdict: Verdict | None = None


@dataclass(slots=True)
class Ended:
    """The end of a walk: whole, stopped on the way, or broken off by an error."""

    visit: Visit
    requests: int
    error: BaseException | None = None
    is_whole: bool = False


Message = Arrived | Ended


def is_waited_for(message: Message) -> bool:
    """Whether somebody has nothing to do until this message is read."""
    return isinstance(message, Ended) or message.verdict is not None


class Fetchers:
    """Walks several visits at a time. `take_seat` is called once in each thread."""

    def __init__(self, take_seat: Callable[[], Seat], count: int):
        self._take_seat = take_seat
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="fetch")
        self._messages: queue.Queue[Message] = queue.Queue(QUEUED_PAGES)
        self._stop = threading.Event()
        self._turn_is_over = threading.Event()
        self._mine = threading.local()
        self._closers: list[Callable[[], None]] = []
        self.walking = 0

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set() or self._turn_is_over.is_set()

    def submit(self, visit: Visit) -> None:
        """Walk a visit as soon as a thread is free."""
        self.walking += 1
        self._pool.submit(self._walk, visit)

    def stop(self) -> None:
        """End every walk after the page that is under way."""
        self._stop.set()

    def give_way(self) -> None:
        """End every walk after the page that is under way, but those that could not go on there:
        they would read all of it again, and give way at the same place the next time.
        """
        self._turn_is_over.set()

    def close(self) -> None:
        """Stop, let the threads end, give their sockets back."""
        self.stop()
        while self.walking:
            self.receive(LOOK_UP)
        self._pool.shutdown(wait=True, cancel_futures=True)
        for close in self._closers:
            close()

    def receive(self, timeout: float, most: int = 1) -> list[Message]:
        """What has arrived: waits for the first, and a moment for more; empty after a while.

        Where a walk or a thread waits for what becomes of a message, nothing else is waited for.
        """
        found: list[Message] = []
        try:
            found.append(self._messages.get(timeout=timeout))
            until = time.monotonic() + GATHERED
            while len(found) < most:
                moment = 0.0 if is_waited_for(found[-1]) else until - time.monotonic()
                found.append(self._messages.get(moment > 0, max(moment, 0.0)))
        except queue.Empty:
            pass
        for message in found:
            if isinstance(message, Ended):
                self.walking -= 1
            elif self._stop.is_set() and message.verdict:
                message.verdict.is_given.set()
        return found

    def _walk(self, visit: Visit) -> None:
        self._mine.told = taken_here()
        error: BaseException | None = None
        is_whole = False
        try:
            is_whole = not self.is_stopping and self._pages(visit)
        except BaseException as problem:  # noqa: BLE001  # the writing thread judges or raises it
            error = problem
        self._messages.put(Ended(visit, self._asked(), error, is_whole))

    def _asked(self) -> int:
        """How often this thread has asked since it last told."""
        before, self._mine.told = self._mine.told, taken_here()
        return int(self._mine.told - before)

    def _pages(self, visit: Visit) -> bool:
        """All pages, or those until a stop. One behind which nothing goes on is the last: its walk
        comes to its end all the same, or all of it would be read again.
        """
        walk, said = visit.walk(self._source(visit)), None
        goes_on, is_last, is_kept = False, False, False
        while is_last or not self._ends(is_kept):
            try:
                page = walk.send(said)
            except StopIteration:
                return True
            is_last = goes_on and page.checkpoint is None
            goes_on = goes_on or page.checkpoint is not None
            is_kept = goes_on or page.finished is not None
            verdict = Verdict() if page.wants_verdict else None
            self._messages.put(Arrived(visit, page, self._asked(), verdict))
            said = self._wait(verdict) if verdict else None
        walk.close()
        return False

    def _ends(self, is_kept: bool) -> bool:
        """Whether a walk ends here; `is_kept`: it could go on where it stands."""
        return self._stop.is_set() or (is_kept and self._turn_is_over.is_set())

    def _wait(self, verdict: Verdict) -> bool:
        while not verdict.is_given.wait(LOOK_UP):
            if self._stop.is_set():
                return True
        return verdict.differs

    def _source(self, visit: Visit) -> Source:
        seat: Seat | None = getattr(self._mine, "seat", None)
        if seat is None:
            seat = self._mine.seat = self._take_seat()
            self._closers.append(seat.close)
        return seat.about(visit.about)
