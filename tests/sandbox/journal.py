"""Which requests were served."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass

KEPT = 200_000
SOURCE = re.compile(
    r"^/2\.0/repositories/[^/]+/[^/]+/(src|diff|patch|diffstat|downloads|filehistory)(/|$)"
    r"|^/2\.0/repositories/.+/pullrequests/\d+/(diff|patch|diffstat)$"
    r"|^/[^/]+/[^/]+/(get|raw)/"
)


@dataclass(slots=True, frozen=True)
class Served:
    """One request: when (epoch seconds), what, its status, which token, milliseconds."""

    time: float
    method: str
    path: str
    query: str
    status: int
    token: str
    ms: float


@dataclass(slots=True, frozen=True)
class Attempt:
    """One attempt to deliver an event to a webhook; `number` from 1, `status` 0: no answer."""

    hook: str
    url: str
    event: str
    request: str
    number: int
    status: int
    ms: float


class Journal:
    """The last requests in full, and counts of all of them."""

    def __init__(self) -> None:
        self.served: deque[Served] = deque(maxlen=KEPT)
        self.statuses: Counter[int] = Counter()
        self.by_token: Counter[str] = Counter()
        self.source = 0
        self.delivered: deque[Attempt] = deque(maxlen=KEPT)

    def add(self, request: Served) -> None:
        """Note a request; those for source code are counted apart and must stay 0."""
        self.served.append(request)
        self.statuses[request.status] += 1
        self.by_token[request.token] += 1
        self.source += bool(SOURCE.search(request.path))

    def count(self, pattern: str = "", status: int | None = None) -> int:
        """Requests whose path matches the pattern (and had this status)."""
        expression = re.compile(pattern)
        return sum(
            bool(expression.search(one.path)) and status in (None, one.status)
            for one in list(self.served)
        )

    def clear(self) -> None:
        """Begin anew."""
        self.served.clear()
        self.statuses.clear()
        self.by_token.clear()
        self.source = 0
        self.delivered.clear()
