"""Requests side by side in threads, while one thread keeps the books and the rows.

The ledger writes to the database. A database connection belongs to a thread, so the threads that
ask hand every booking to the thread that waits for them.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from connections.transport.ledger import Ledger, Purpose

SIDE_BY_SIDE = 6
_Call = Callable[[], Any]


class Relay:
    """A ledger for threads. Jobs given to `run` may use it, and `tell` the waiting thread."""

    def __init__(self, books: Ledger) -> None:
        self._books = books
        self._calls: SimpleQueue[tuple[_Call | None, Future[Any] | None]] = SimpleQueue()

    def take(self, subject: str, *, purpose: Purpose, whose: int = 0) -> None:
        """Book one request. Raises QuotaExhausted."""
        self._wait_for(lambda: self._books.take(subject, purpose=purpose, whose=whose))

    def learn(
        self, subject: str, *, limit: int | None = None, refused_for: float | None = None
    ) -> None:
        """Note what an answer told."""
        self._wait_for(lambda: self._books.learn(subject, limit=limit, refused_for=refused_for))

    def through(self, renew: Callable[[str], str] | None) -> Callable[[str], str] | None:
        """The renewal of an access token, done by the waiting thread: it reads and writes rows."""
        return None if renew is None else lambda refused: self._wait_for(lambda: renew(refused))

    def tell(self, call: _Call) -> None:
        """Let the waiting thread do this; do not wait for it."""
        self._calls.put((call, None))

    def run(self, jobs: Sequence[_Call]) -> None:
        """Do all jobs side by side. Raises the first error of a job or of what was told."""
        first: BaseException | None = None
        with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
            running = [pool.submit(self._job, job) for job in jobs]
            left = len(running)
            while left:
                call, waiting = self._calls.get()
                if call is None:
                    left -= 1
                else:
                    first = first or _do(call, waiting)
        for done in running:
            first = first or done.exception()
        if first is not None:
            raise first

    def _job(self, job: _Call) -> None:
        try:
            job()
        finally:
            self._calls.put((None, None))

    def _wait_for(self, call: _Call) -> Any:
        waiting: Future[Any] = Future()
        self._calls.put((call, waiting))
        return waiting.result()


def _do(call: _Call, waiting: Future[Any] | None) -> BaseException | None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # handed to whoever waits for it, or raised at the end
        if waiting is None:
            return error
        waiting.set_exception(error)
    else:
        if waiting is not None:
            waiting.set_result(result)
    return None
