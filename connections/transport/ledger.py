"""What the transport asks before each request: may I? `settings.REQUEST_LEDGER` answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Purpose(StrEnum):
    """Why a request is made. Checks come before what people start, and that before schedules."""

    CONSENT = "consent"
    VERIFY = "verify"
    PERSON = "person"
    SCHEDULE = "schedule"


class Ledger(Protocol):
    """Counts requests per subject, across processes. A subject is a keyed hash."""

    def take(self, subject: str, *, purpose: Purpose, whose: int = 0) -> None:
        """Book one request, in the name of an organization (its id). Raises QuotaExhausted.

        Never called inside a transaction.
        """

    def learn(
        self, subject: str, *, limit: int | None = None, refused_for: float | None = None
    ) -> None:
        """Note what an answer told: the limit of a window, or a 429.

        `refused_for` is in seconds; 0 where the provider gave no time.
        """


class Counted:
    """A ledger that remembers how much was booked through it."""

    def __init__(self, books: Ledger) -> None:
        self._books = books
        self.requests = 0

    def take(self, subject: str, *, purpose: Purpose, whose: int = 0) -> None:
        """Book one request. Raises QuotaExhausted."""
        self._books.take(subject, purpose=purpose, whose=whose)
        self.requests += 1

    def learn(
        self, subject: str, *, limit: int | None = None, refused_for: float | None = None
    ) -> None:
        """Note what an answer told."""
        self._books.learn(subject, limit=limit, refused_for=refused_for)


@dataclass
class Tally:
    """How many requests were made."""

    requests: int = 0


_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def tallied() -> Iterator[Tally]:
    """Count the requests that this thread makes meanwhile, also those that count for no subject."""
    tally = Tally()
    token = _TALLY.set(tally)
    try:
        yield tally
    finally:
        _TALLY.reset(token)


def tally_one() -> None:
    """One more request leaves."""
    tally = _TALLY.get()
    if tally is not None:
        tally.requests += 1


def ledger() -> Ledger:
    """The ledger that is set."""
    chosen: Ledger = import_string(settings.REQUEST_LEDGER)()
    return chosen
