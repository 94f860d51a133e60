"""Listings that come in pages: by their `next`, which is opaque, and without going round."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from connections.transport import guard
from connections.transport.answers import Answer
from connections.transport.errors import UnexpectedResponse

MAX_EMPTY_PAGES = 3  # in a row, before a listing counts as endless

Parameters = Mapping[str, Any] | list[tuple[str, str]]


def pages(
    get: Callable[[str, Parameters | None], Answer],
    path_or_url: str,
    params: Parameters | None = None,
) -> Iterator[Answer]:
    """Every page of a listing; `get` sees to it that each `next` stays on its origin.

    Raises UnexpectedResponse for a page without `values`, and for a listing that repeats itself or
    goes on with nothing in it.
    """
    asked: set[int] = set()  # hashes of addresses, which are long and in a long listing many
    read: set[int] = set()  # marks of pages
    empty = 0
    following: str | None = path_or_url
    while following:
        answer = get(following, params)
        asked |= {hash(following), hash(answer.url)}
        values, following = page_of(answer)
        empty = 0 if values else empty + 1
        mark = _mark(answer, values)
        again = hash(following) in asked or (bool(values) and mark in read)
        if following and (again or empty > MAX_EMPTY_PAGES):
            raise _endless(answer)
        read.add(mark)
        yield answer
        params = None


def page_of(answer: Answer) -> tuple[list[Any], str | None]:
    """The values and the next address of one page. Raises UnexpectedResponse, BlockedAddress."""
    body = answer.json
    values = body.get("values") if isinstance(body, dict) else None
    if not isinstance(values, list) or not {*map(type, values)} <= {dict}:
        raise UnexpectedResponse(
            "Bitbucket answered without the list that was asked for.", evidence=answer.evidence()
        )
    following = body.get("next")
    if following is not None and not isinstance(following, str):
        raise UnexpectedResponse(
            "Bitbucket's listing goes on, but does not say where.", evidence=answer.evidence()
        )
    return values, guard.onward(answer.url, following) if following else None


def _mark(answer: Answer, values: list[Any]) -> int:
    """A number by which pages of the same content are known again."""
    try:
        return hash(orjson.dumps(values))
    except orjson.JSONEncodeError:
        raise UnexpectedResponse(
            "Bitbucket's listing is nested deeper than any record.", evidence=answer.evidence()
        ) from None


def _endless(answer: Answer) -> UnexpectedResponse:
    return UnexpectedResponse(
        "Bitbucket's listing repeats itself and has no end.", evidence=answer.evidence()
    )
