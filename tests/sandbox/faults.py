"""Answers that go wrong on demand."""

from __future__ import annotations

import gzip
import itertools
import re
from dataclasses import dataclass, field, fields
from typing import Any, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlencode

import orjson

from tests.sandbox.answers import RATE_LIMITED, Answer, announced, error, removed, text

LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Log in | Bitbucket</title></head><body></body></html>"
)
OVERSIZED = gzip.compress(b" " * 21_000_000)  # more than anybody reads, and small on the way
KINDS = (
    "html",
    "truncated",
    "oversized",
    "wrong_type",
    "endless_next",
    "cycling_next",
    "empty_page",
    "no_values",
    "short_page",
    "hang",
    "nul",
    "surrogate",
    "cut",
    "429",
    "429_retry_after",
    "555",
    "410",
    "announced",
)


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong for requests whose path and query match `path`.

    The first `after` matches are left alone (counted for each path apart when `per_path`), then
    `times` requests are hit, all of them without it. `only_pages` hits listings alone.
    """

    path: str
    kind: str | None = None
    status: int | None = None
    body: str | None = None
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    times: int | None = None
    after: int = 0
    method: str | None = None
    per_path: bool = False
    only_pages: bool = False
    id: int = 0
    hits: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def strikes(self, method: str, path: str, target: str, answer: Answer) -> bool:
        """Whether this request is hit; counts it."""
        if not re.search(self.path, target) or self.method not in (None, method):
            return False
        if self.only_pages and not answer.is_page:
            return False
        key = path if self.per_path else ""
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.seen[key] <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def bend(self, answer: Answer, url: str) -> Answer:
        """The answer as it comes out of this fault."""
        if self.kind:
            answer = _bend(self.kind, answer, url)
        if self.status is not None:
            answer = error(self.status, f"Simulated failure {self.status}")
        if self.body is not None:
            answer.body = self.body.encode("utf-8", "surrogatepass")
        if self.content_type is not None:
            answer.content_type = self.content_type
        answer.headers |= self.headers
        return answer


HINTS = get_type_hints(Fault)


def _fits(value: object, hint: Any) -> bool:
    if hint is float:
        hint = int | float
    return isinstance(value, dict if get_origin(hint) is dict else hint)


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, path: str = ".", **settings: object) -> Fault:
        """A new fault; its settings are the fields of Fault.

        Raises ValueError for unknown ones, TypeError for wrong values, re.error.
        """
        unknown = settings.keys() - {one.name for one in fields(Fault)}
        kind = settings.get("kind")
        if unknown or kind not in (None, *KINDS):
            raise ValueError(f"unknown fault: {sorted(unknown) or kind}")
        re.compile(path)
        for name, value in settings.items():
            if not _fits(value, HINTS[name]):
                raise TypeError(f"{name} cannot be {value!r}")
        fault = Fault(path, **settings)  # type: ignore[arg-type]
        fault.id = next(self._ids)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """All is well again."""
        self.active.clear()

    def remove(self, fault: Fault) -> None:
        """Take one fault away, if it is still there."""
        self.active = [one for one in self.active if one is not fault]

    def apply(
        self, method: str, path: str, query: str, url: str, answer: Answer
    ) -> tuple[Answer, float]:
        """The answer after the first fault that strikes, and the seconds to wait before it."""
        target = f"{path}?{query}" if query else path
        for fault in self.active:
            if fault.strikes(method, path, target, answer):
                return fault.bend(answer, url), fault.delay
        return answer, 0.0


def _bend(kind: str, answer: Answer, url: str) -> Answer:
    if kind in ("429", "429_retry_after"):
        limited = text(429, RATE_LIMITED)
        limited.headers = {"retry-after": "2"} if kind == "429_retry_after" else {}
        return limited
    if kind == "555":
        return error(555, "Diff computation took too long")
    if kind == "410":
        return removed()
    if kind == "announced":
        return announced(answer)
    if kind == "oversized":
        return Answer(200, OVERSIZED, headers={"content-encoding": "gzip"})
    if kind == "html":
        return Answer(200, LOGIN_PAGE, "text/html; charset=utf-8")
    return _spoil(kind, answer, url)


def _spoil(kind: str, answer: Answer, url: str) -> Answer:
    if kind == "truncated":
        answer.body = answer.body[: len(answer.body) // 2]
    elif kind == "wrong_type":
        answer.content_type = "text/plain"
    elif kind == "endless_next" and answer.is_page:
        answer.body = orjson.dumps(orjson.loads(answer.body) | {"next": url})
    elif kind == "cycling_next" and answer.is_page:
        answer.body = _cycling(orjson.loads(answer.body), url)
    elif kind == "empty_page":
        answer.body = b'{"pagelen":10,"values":[],"page":1,"size":0}'
    elif kind in ("no_values", "short_page") and answer.is_page:
        answer.body = _ended(answer.body, 0 if kind == "no_values" else 2)
    elif kind in ("nul", "surrogate"):
        answer.body = _with_bad_character(answer.body, kind)
    answer.hang, answer.cut = kind == "hang", kind == "cut"
    return answer


def _cycling(page: dict[str, Any], url: str) -> bytes:
    """A page that always has a next one, of an address of its own; two take turns for ever.

    One holds the records as they are, the other in reverse. Each has a mark that never comes again.
    """
    address, _, query = url.partition("?")
    pairs = [pair for pair in parse_qsl(query) if pair[0] != "turn"]
    turn = int(dict(parse_qsl(query)).get("turn", 0)) + 1
    values = [{**value, "turn": turn} for value in page["values"]]
    following = f"{address}?{urlencode([*pairs, ('turn', str(turn))])}"
    return orjson.dumps(page | {"values": values[:: 1 if turn % 2 else -1], "next": following})


def _ended(body: bytes, left: int) -> bytes:
    """A page that ends its listing with so many values, whatever `size` it tells."""
    page = orjson.loads(body)
    page.pop("next", None)
    return orjson.dumps(page | {"values": page["values"][:left]})


def _with_bad_character(body: bytes, kind: str) -> bytes:
    character = b"\\u0000" if kind == "nul" else b"\\ud800"
    for name in (b'"title":"', b'"raw":"', b'"display_name":"', b'"name":"'):
        if name in body:
            return body.replace(name, name + character, 1)
    return body
