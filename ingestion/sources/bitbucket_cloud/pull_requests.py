"""Pull requests in the order of their last change, so that nothing is missed while it moves.

Each page is a query of its own: `updated_on >=` the last instant of the page before. A pull
request that changes meanwhile moves to the end, where the walk still comes to. `q` filters and
sorts on the server: https://github.com/PostHog/posthog/pull/71200.

Each query also names a pull request that is known, so that no page is ever rightly empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from connections.connectors.bitbucket_cloud.client import STATES, BitbucketCloudClient
from connections.transport.answers import Answer
from connections.transport.errors import NotFound, UnexpectedResponse
from ingestion.sources.base import Checkpoint, Page, Since, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import (
    Length,
    clock_of,
    has_next,
    size_of,
    values_of,
    whole,
)
from ingestion.sources.bitbucket_cloud.read import Json, Unreadable, moment, number

# `q` overrides the parameter `state`: https://github.com/MunifTanjim/node-bitbucket/issues/16
ALL_STATES = "state IN ({})".format(", ".join(f'"{state}"' for state in STATES))
MOST_REFUSED = 3  # single lists of one walk, before it is taken that none is shown


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where the walk stands.

    `after` is the instant that it has reached; `draining` says that pull requests of exactly that
    instant fill more than a page and are read by their number, above `above`; `beyond` that all
    of them were read. `known` is a pull request that was seen before. What changed at `until` or
    later is not asked for.
    """

    after: datetime | None = None
    known: int | None = None
    draining: bool = False
    above: int = 0
    beyond: bool = False
    until: datetime | None = None

    @classmethod
    def at(cls, since: Since) -> Self:
        found = since.checkpoint
        if found is None:
            after = since.watermark or since.not_before
            return cls(after=after, known=since.known, until=since.until)
        after = datetime.fromisoformat(found["after"]) if found["after"] else None
        return cls(
            after=after,
            known=found["known"],
            draining=found["draining"],
            above=found["above"],
            beyond=found["beyond"],
            until=since.until,
        )

    def checkpoint(self, as_of: datetime) -> Checkpoint:
        return {
            "as_of": as_of.isoformat(),
            "after": self.after.isoformat() if self.after else None,
            "known": self.known,
            "draining": self.draining,
            "above": self.above,
            "beyond": self.beyond,
        }

    def query(self) -> str:
        """The condition for the next page, as Bitbucket's `q` wants it."""
        limit = " AND ".join(self._limits())
        if not limit:
            return ALL_STATES
        if self.known is not None:
            limit = f"(({limit}) OR id = {self.known})"
        return f"{limit} AND {ALL_STATES}"

    def _limits(self) -> Iterator[str]:
        if self.draining and self.after:
            yield f"updated_on = {self.after.isoformat()}"
            yield f"id > {self.above}"
            return
        if self.after:
            yield f"updated_on {'>' if self.beyond else '>='} {self.after.isoformat()}"
        if self.until:
            yield f"updated_on < {self.until.isoformat()}"

    def following(self, values: list[Json]) -> "Position":
        """Where the walk stands after a page that has a `next`. Raises UnexpectedResponse."""
        if self.draining:
            above = max(_numbers(values), default=0)
            if above <= self.above:
                raise _stands_still()
            return replace(self, known=above, above=above)
        # The one that is known may have changed before.
        instants = {one for one in _instants(values) if self._has(one)}
        last = max(instants, default=None)
        if last is None:
            raise _stands_still()
        known = _last_number(values) or self.known
        if len(instants) == 1:
            return Position(after=last, known=known, draining=True, until=self.until)
        if self.after and last == self.after:
            raise _stands_still()
        return Position(after=last, known=known, until=self.until)

    def _has(self, moment: datetime) -> bool:
        is_behind = self.after is None or moment >= self.after
        return is_behind and (self.until is None or moment < self.until)


def walk_pull_requests(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """All changes since the watermark, each page with the checkpoint behind it."""
    position, as_of = Position.at(since), _as_of(since)
    while True:
        sort = "id" if position.draining else "updated_on"
        answer = next(client.pull_requests(repository, q=position.query(), sort=sort))
        values = values_of(answer)
        expected = size_of(answer) if as_of is None else None
        as_of = as_of or clock_of(answer)
        if not values:
            _refuse_nothing(client, repository, position)
        reached = _reached(position, answer, values)
        rows = parse.rows(values, parse.pull_request, "id")
        values.clear()  # a walk whose page waits to be written keeps its rows alone
        yield Page(
            rows=rows,
            checkpoint=reached.checkpoint(as_of) if reached else None,
            as_of=as_of,
            expected=expected,
        )
        if reached is None:
            return
        position = reached


def _reached(position: Position, answer: Answer, values: list[Json]) -> Position | None:
    """The position behind a page; None at the end of the walk."""
    if has_next(answer):
        return position.following(values)
    page = Length()
    page.add(answer)
    page.check("pull requests")
    if position.draining:
        return replace(position, draining=False, above=0, beyond=True)
    return None


def _refuse_nothing(client: BitbucketCloudClient, repository: str, position: Position) -> None:
    """Raise UnexpectedResponse for a page without the one that it must show, unless it is gone.

    A repository, and with it a walk without one that is known, may be empty.
    """
    if position.known is None:
        return
    try:
        client.pull_request(repository, position.known)
    except NotFound:
        return
    raise UnexpectedResponse(
        f"Bitbucket's list of pull requests is empty and lacks #{position.known}, which is there."
    )


def walk_open(client: BitbucketCloudClient, repository: str, since: datetime | None) -> Walk:
    """What is open, by number: a walk for what changes without moving `updated_on`."""
    query = 'state = "OPEN"'
    if since:
        query = f"updated_on >= {since.isoformat()} AND {query}"
    answers = client.pull_requests(repository, q=query, sort="id")
    for answer in whole(answers, "open pull requests"):
        yield Page(rows=parse.rows(values_of(answer), parse.pull_request, "id"))


@dataclass(slots=True)
class Refusals:
    """Judges what is not shown of single pull requests, in one walk over several of them."""

    client: BitbucketCloudClient
    repository: str
    count: int = 0
    is_any_shown: bool = False

    def judge(self, end: Page, pull_request: int, error: NotFound) -> None:
        """Note on the end of a list that its pull request is gone, or else that it lacks all.

        Raises the error where the lists of several pull requests that are there are refused and
        none is shown: so are the others, then.
        """
        end.is_missing = is_gone(self.client, self.repository, pull_request)
        end.is_short = not end.is_missing
        self.count += end.is_short
        if self.count >= MOST_REFUSED and not self.is_any_shown:
            raise error


def is_gone(client: BitbucketCloudClient, repository: str, pull_request: int) -> bool:
    """Whether a pull request whose details are not shown is gone itself: it is not listed either.

    Raises NotFound where nothing of the repository is shown any more.
    """
    try:
        client.pull_request(repository, pull_request)
    except NotFound:
        query = f"id = {pull_request} AND {ALL_STATES}"
        return not values_of(next(client.pull_requests(repository, q=query)))
    return False


def _as_of(since: Since) -> datetime | None:
    return datetime.fromisoformat(since.checkpoint["as_of"]) if since.checkpoint else None


def _instants(values: list[Json]) -> set[datetime]:
    found = set()
    for value in values:
        try:
            found.add(moment(value.get("updated_on")))
        except Unreadable:
            continue  # that row is set aside; the others say where the page ends
    return found


def _numbers(values: list[Json]) -> list[int]:
    try:
        return [number(value.get("id")) for value in values]
    except Unreadable:
        raise _stands_still() from None


def _last_number(values: list[Json]) -> int | None:
    found = (value.get("id") for value in reversed(values))
    return next((one for one in found if isinstance(one, int)), None)


def _stands_still() -> UnexpectedResponse:
    return UnexpectedResponse("Bitbucket's list of pull requests repeats itself and has no end.")
