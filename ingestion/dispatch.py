"""Sends work to the workers. The database stays the truth: a lost message is sent again."""

import os
import queue
import threading

import structlog
from celery import current_app
from django.db import transaction

RUN_SLICE = "ingestion.tasks.run_slice"
FOLLOW_DELIVERY = "ingestion.tasks.follow_delivery"

WAITING = 1_000  # messages of this process that wait for a slow broker; more are dropped
log = structlog.get_logger(__name__)


def send_slice(organization_id: int, sync_id: int) -> None:
    """Wake a worker for this sync, now."""
    current_app.signature(RUN_SLICE, args=(organization_id, sync_id)).apply_async()


def send_slice_on_commit(organization_id: int, sync_id: int) -> None:
    """Wake a worker for this sync, once the present transaction stands.

    A broker that cannot be reached loses nothing: the tick sends the slice again.
    """

    def send() -> None:
        send_slice(organization_id, sync_id)

    transaction.on_commit(send, robust=True)


def post(task: str, organization_id: int, row_id: int) -> None:
    """Wake a worker for this row, without waiting for the broker: a thread beside sends it.

    Where the broker is away, or slow for long, the message is lost, and the tick sends it again.
    """
    if current_app.conf.task_always_eager:
        current_app.tasks[task].apply_async((organization_id, row_id))
        return
    _letters.post((task, organization_id, row_id))


class _Letters:
    """The messages of one process on their way, and the thread that sends them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._waiting: queue.Queue[tuple[str, int, int]] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def post(self, letter: tuple[str, int, int]) -> None:
        with self._lock:
            if self._pid != os.getpid():  # a fork has no thread of its own
                self._begin()
            if self._thread is None:
                self._thread = threading.Thread(target=self._send, name="letters", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(letter)
        except queue.Full:
            log.warning("message not sent", reason="the broker is slow")

    def _send(self) -> None:
        while True:
            task, *row = self._waiting.get()
            try:
                current_app.tasks[task].apply_async(tuple(row))
            except Exception as problem:  # noqa: BLE001  # whatever a broker raises: the tick sends
                log.warning("message not sent", reason=type(problem).__name__)


_letters = _Letters()
