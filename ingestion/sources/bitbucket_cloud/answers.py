"""What every walk needs of an answer: its values, its clock, how many there are."""

from datetime import UTC, datetime
from typing import Any

from connections.transport.answers import Answer
from connections.transport.http import page_of
from ingestion.sources.bitbucket_cloud.read import Json

__all__ = ("clock_of", "has_next", "size_of", "values_of")


def values_of(answer: Answer) -> list[Json]:
    """The records of a page. Raises UnexpectedResponse."""
    found: list[Json] = page_of(answer)[0]
    return found


def has_next(answer: Answer) -> bool:
    """Whether the listing goes on. The absence of `next` is the only end that Bitbucket tells."""
    return page_of(answer)[1] is not None


def size_of(answer: Answer) -> int | None:
    """How many records the whole listing has, where Bitbucket tells."""
    size: Any = answer.json.get("size") if isinstance(answer.json, dict) else None
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


def clock_of(answer: Answer) -> datetime:
    """Bitbucket's clock at this answer, to the second; ours where it tells none."""
    return answer.date or datetime.now(UTC)
