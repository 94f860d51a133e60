"""The rolling window of requests per subject: strict, as Bitbucket counts."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.sandbox.answers import RATE_LIMITED, Answer, error, text
from tests.sandbox.clock import Clock
from tests.sandbox.tokens import ACCESS_TOKENS, Token

ANONYMOUS_LIMIT = 60


@dataclass(slots=True)
class Quota:
    """`limit` requests in any `window` seconds. `plain` and `retry_after` shape the refusals."""

    clock: Clock
    window: float = 3600
    limit: int = 1000
    plain: bool = True
    retry_after: bool = False
    headers: bool = True
    refused: int = 0
    spent: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    find: Callable[[str], Token] | None = None

    def take(self, subject: str, limit: int | None = None) -> Answer | None:
        """Book one request; the answer 429 when nothing is left. Refusals are not booked."""
        now = self.clock.seconds()
        if self.left(subject, limit) <= 0:
            self.refused += 1
            return self._refusal(subject, now)
        self.spent[subject].append(now)
        return None

    def left(self, subject: str, limit: int | None = None) -> int:
        """Requests that this subject may still make now."""
        stamps = self.spent[subject]
        start = self.clock.seconds() - self.window
        while stamps and stamps[0] <= start:
            stamps.popleft()
        return (self.limit if limit is None else limit) - len(stamps)

    def fill(self, token: Token | str, leave: int = 0) -> None:
        """Spend what the token (or its secret, or its label) has left, but for `leave`."""
        if isinstance(token, str):
            if self.find is None:
                raise KeyError(token[:12])
            token = self.find(token)
        now = self.clock.seconds()
        self.spent[token.subject].extend([now] * max(0, self.left(token.subject) - leave))

    def clear(self) -> None:
        """Forget what was spent."""
        self.spent.clear()
        self.refused = 0

    def describe(self, token: Token) -> dict[str, str]:
        """The headers that only access tokens get."""
        if not self.headers or token.kind not in ACCESS_TOKENS:
            return {}
        near = self.left(token.subject) < self.limit * 0.2
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-resource": "api",
            "x-ratelimit-nearlimit": "true" if near else "false",
        }

    def _refusal(self, subject: str, now: float) -> Answer:
        answer = text(429, RATE_LIMITED) if self.plain else error(429, RATE_LIMITED)
        if self.retry_after and self.spent[subject]:
            wait = self.spent[subject][0] + self.window - now
            answer.headers["retry-after"] = str(max(1, math.ceil(wait)))
        return answer
