"""What every walk needs of an answer: its values, its clock, how many there are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connections.transport.answers import Answer
from connections.transport.paging import page_of
from ingestion.sources.base import NewPages, ShortListing
from ingestion.sources.bitbucket_cloud.read import Json, inside

__all__ = ("Length", "clock_of", "counted", "has_next", "size_of", "values_of", "whole")


def values_of(answer: Answer) -> list[Json]:
    """The records of a page. Raises UnexpectedResponse."""
    found: list[Json] = page_of(answer)[0]
    return found


def has_next(answer: Answer) -> bool:
    """Whether the listing goes on. The absence of `next` is the only end that Bitbucket tells."""
    return page_of(answer)[1] is not None


def whole(answers: Iterable[Answer], what: str) -> Iterator[Answer]:
    """The pages of a listing, as `counted`. Raises ShortListing behind the last page where fewer
    came than the listing said to have.
    """
    length = Length()
    yield from counted(answers, what, length)
    length.check(what)


def counted(answers: Iterable[Answer], what: str, length: "Length") -> Iterator[Answer]:
    """The pages of a listing, counted. Raises UnexpectedResponse where records come again without
    an end.
    """
    pages = NewPages(what)
    for answer in answers:
        if has_next(answer):
            pages.check([_identity(value) for value in values_of(answer)])
        length.add(answer)
        yield answer


def _identity(value: Json) -> object:
    named = value.get("uuid") or value.get("id") or value.get("name")
    return named or inside(value, "user", "uuid")


def size_of(answer: Answer) -> int | None:
    """How many records the whole listing has, where Bitbucket tells."""
    size: Any = answer.json.get("size") if isinstance(answer.json, dict) else None
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


@dataclass(slots=True)
class Length:
    """How many records a listing said to have, and how many it has shown so far."""

    told: int = 0
    listed: int = 0

    def add(self, answer: Answer) -> None:
        """Count a page. The largest size counts: rows that went meanwhile moved others past us."""
        self.told = max(self.told, size_of(answer) or 0)
        self.listed += len(values_of(answer))

    def check(self, what: str) -> None:
        """Raise ShortListing where a listing that ends here lacks some."""
        if self.is_short:
            raise self.error(what)

    def error(self, what: str) -> ShortListing:
        """What to say of a listing that lacks some."""
        return ShortListing(what, self.listed, self.told)

    @property
    def is_short(self) -> bool:
        return self.listed < self.told


def clock_of(answer: Answer) -> datetime:
    """Bitbucket's clock at this answer, to the second; ours where it tells none.

    Never later than ours: a watermark in the future would pass over all that changes until then,
    while one that is too early is only read again.
    """
    ours = datetime.now(UTC)
    return min(answer.date or ours, ours)
