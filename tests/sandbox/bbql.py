"""The part of Bitbucket's query language that clients need, parsed into predicates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Field = Callable[[Any], Any]
Predicate = Callable[[Any], bool]

TOKEN = re.compile(
    r"""\s*(?:
    (?P<punctuation>[(),])
  | (?P<operator>!~|!=|>=|<=|=|~|>|<)
  | "(?P<string>(?:[^"\\]|\\.)*)"
  | (?P<date>\d{4}-\d{2}-\d{2}
       (?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?)(?![\w.-])
  | (?P<number>-?\d+(?:\.\d+)?)(?![\w])
  | (?P<word>[A-Za-z_][\w.]*)
)""",
    re.VERBOSE,
)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a is not None and a > b,
    ">=": lambda a, b: a is not None and a >= b,
    "<": lambda a, b: a is not None and a < b,
    "<=": lambda a, b: a is not None and a <= b,
    "~": lambda a, b: a is not None and b.lower() in str(a).lower(),
    "!~": lambda a, b: a is None or b.lower() not in str(a).lower(),
}
CONSTANTS = {"null": None, "true": True, "false": False}


class BadQuery(ValueError):
    """Not BBQL, or about a field that cannot be filtered."""


@dataclass(frozen=True, slots=True)
class Compare:
    """field operator value"""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Among:
    """field [NOT] IN (values)"""

    field: str
    values: tuple[Any, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """parts joined by AND (`every`) or OR"""

    parts: tuple[Node, ...]
    every: bool


Node = Compare | Among | Joined


def parse(query: str) -> Node:
    """A query as a tree. Raises BadQuery."""
    reader = _Reader(list(_tokens(query)))
    node = reader.alternatives()
    if reader.peek()[0] != "end":
        raise BadQuery(f"Invalid query: unexpected {reader.peek()[1]!r}")
    return node


def predicate(node: Node, fields: Mapping[str, Field]) -> Predicate:
    """A function that says whether a record matches. Raises BadQuery for an unknown field."""
    if isinstance(node, Joined):
        parts = [predicate(part, fields) for part in node.parts]
        if node.every:
            return lambda record: all(part(record) for part in parts)
        return lambda record: any(part(record) for part in parts)
    get = fields.get(node.field)
    if get is None:
        raise BadQuery(f'Field ".{node.field}" does not support filtering')
    if isinstance(node, Among):
        values, negated = frozenset(node.values), node.negated
        return lambda record: (get(record) in values) is not negated
    compare, value = COMPARISONS[node.operator], node.value
    return lambda record: _compare(compare, get(record), value)


def _compare(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    try:
        return compare(left, right)
    except (TypeError, AttributeError) as error:
        raise BadQuery(f"Invalid query: cannot compare with {right!r}") from error


def conjuncts(node: Node) -> tuple[Node, ...]:
    """The parts that all must hold."""
    if isinstance(node, Joined) and node.every:
        return tuple(part for inner in node.parts for part in conjuncts(inner))
    return (node,)


def _tokens(query: str) -> Iterator[tuple[str, Any]]:
    at, query = 0, query.rstrip()
    while at < len(query):
        match = TOKEN.match(query, at)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"Invalid query: unexpected {query[at:].strip()[:20]!r}")
        yield match.lastgroup, _value(match.lastgroup, match[match.lastgroup])
        at = match.end()
    yield "end", "the end"


def _value(kind: str, raw: str) -> Any:
    if kind == "string":
        return re.sub(r"\\(.)", r"\1", raw)
    if kind == "number":
        return float(raw) if "." in raw else int(raw)
    if kind == "date":
        return _moment(raw)
    return raw


def _moment(raw: str) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        raise BadQuery(f"Invalid query: {raw!r} is not a date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Reader:
    """Recursive descent: OR binds weaker than AND."""

    def __init__(self, tokens: list[tuple[str, Any]]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> tuple[str, Any]:
        return self.tokens[self.at]

    def take(self) -> tuple[str, Any]:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def word(self, *wanted: str) -> bool:
        kind, value = self.peek()
        if kind == "word" and value.upper() in wanted:
            self.take()
            return True
        return False

    def expect(self, sign: str) -> None:
        kind, value = self.take()
        if kind != "punctuation" or value != sign:
            raise BadQuery(f"Invalid query: expected {sign!r} before {value!r}")

    def alternatives(self) -> Node:
        parts = [self.sequence()]
        while self.word("OR"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), every=False)

    def sequence(self) -> Node:
        parts = [self.term()]
        while self.word("AND"):
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), every=True)

    def term(self) -> Node:
        kind, value = self.take()
        if (kind, value) == ("punctuation", "("):
            node = self.alternatives()
            self.expect(")")
            return node
        if kind != "word":
            raise BadQuery(f"Invalid query: expected a field before {value!r}")
        return self.condition(value)

    def condition(self, field: str) -> Node:
        negated = self.word("NOT")
        if self.word("IN"):
            return Among(field, self.values(), negated)
        kind, operator = self.take()
        if kind != "operator" or negated:
            raise BadQuery(f"Invalid query: expected an operator before {operator!r}")
        return Compare(field, operator, self.value())

    def values(self) -> tuple[Any, ...]:
        self.expect("(")
        found = [self.value()]
        while self.peek() == ("punctuation", ","):
            self.take()
            found.append(self.value())
        self.expect(")")
        return tuple(found)

    def value(self) -> Any:
        kind, value = self.take()
        if kind in ("string", "number", "date"):
            return value
        if kind == "word" and value.lower() in CONSTANTS:
            return CONSTANTS[value.lower()]
        raise BadQuery(f"Invalid query: expected a value before {value!r}")
