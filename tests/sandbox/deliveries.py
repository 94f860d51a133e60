"""Tells webhooks what happened: signed, from a thread of its own, tried up to three times."""

from __future__ import annotations

import hashlib
import hmac
import queue
import threading
import time
from dataclasses import dataclass
from uuid import uuid4

import requests

from tests.sandbox.journal import Attempt, Journal
from tests.sandbox.world import Hook

PATIENCE = 10.0  # seconds that a receiver has to answer
ATTEMPTS = 3
LONGEST = 256 * 1024  # a longer body is not sent, and nobody is told


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for one webhook, as it was when it happened."""

    hook: str
    url: str
    secret: str
    event: str
    body: bytes
    request: str

    def headers(self, attempt: int) -> dict[str, str]:
        """What goes with an attempt; a signature only where there is a secret."""
        found = {
            "Content-Type": "application/json",
            "User-Agent": "Bitbucket-Webhooks/2.0",
            "X-Event-Key": self.event,
            "X-Hook-UUID": self.hook.strip("{}"),
            "X-Request-UUID": self.request,
            "X-Attempt-Number": str(attempt),
        }
        if self.secret:
            digest = hmac.new(self.secret.encode(), self.body, hashlib.sha256).hexdigest()
            found["X-Hub-Signature"] = f"sha256={digest}"
        return found


class Deliveries:
    """The deliveries of one world, one after the other; `patience` in seconds."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.patience = PATIENCE
        self._waiting: queue.Queue[Delivery | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._is_over = False

    def add(self, hook: Hook, event: str, body: bytes) -> None:
        """Deliver soon."""
        if len(body) > LONGEST:
            return
        one = Delivery(hook.uuid, hook.url, hook.secret, event, body, str(uuid4()))
        self._waiting.put(one)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Whatever waits is not delivered any more."""
        self._is_over = True
        self._waiting.put(None)

    def idle(self, patience: float = 30.0) -> None:
        """Wait until everything was delivered or given up."""
        deadline = time.monotonic() + patience
        while self._waiting.unfinished_tasks and not self._is_over:
            if time.monotonic() > deadline:
                raise TimeoutError("deliveries still wait")
            time.sleep(0.005)

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                one = self._waiting.get()
                if one is None or self._is_over:
                    return
                self._deliver(session, one)
                self._waiting.task_done()

    def _deliver(self, session: requests.Session, one: Delivery) -> None:
        """On a failure of the receiver, or of the line, at once again; then it is lost."""
        for number in range(1, ATTEMPTS + 1):
            started = time.perf_counter()
            headers = one.headers(number)
            status = self._post(session, one, headers)
            if self._is_over:
                return
            ms = (time.perf_counter() - started) * 1000
            self.journal.delivered.append(
                Attempt(one.hook, one.url, one.event, one.request, number, status, ms)
            )
            if 0 < status < 500:
                return

    def _post(self, session: requests.Session, one: Delivery, headers: dict[str, str]) -> int:
        try:
            answer = session.post(
                one.url,
                data=one.body,
                headers=headers,
                timeout=self.patience,
                allow_redirects=False,
            )
        except requests.RequestException:
            return 0
        return answer.status_code
