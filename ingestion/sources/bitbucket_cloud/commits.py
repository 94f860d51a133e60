"""Commits: what is reachable from the tips of branches and was not before.

There is no filter by date, and `q` is ignored: https://github.com/PostHog/posthog/pull/71200. The
tips are read once and walked by their hashes, so that what is pushed meanwhile comes the next time.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.answers import Answer
from connections.transport.errors import (
    BadRequest,
    BlockedAddress,
    Gone,
    NotFound,
    UnexpectedResponse,
    UnknownHashes,
)
from connections.transport.paging import page_of
from ingestion.sources.base import Checkpoint, NewPages, Page, Since, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import clock_of, values_of, whole
from ingestion.sources.bitbucket_cloud.read import Json, Unreadable, inside, moment, text
from ingestion.sources.rows import CommitRow, Row

HASH = 40  # characters
AUTHOR = 510  # characters


def walk_commits(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """New commits, newest first, each page with the cursor behind it; then what was dropped."""
    at = _position(client, repository, since)
    yield Page(rows=(), as_of=at.as_of, heads=at.tips, checkpoint=at.checkpoint())
    reached = set[str]()
    if not at.is_over:
        for rows in _new(client, repository, since, at):
            reached.update(parent for row in rows for parent in _parents(row))
            kept = [row for row in rows if not _is_too_old(row, since.not_before)]
            at.is_over = at.is_over or (bool(rows) and not kept)
            yield Page(rows=kept, checkpoint=at.checkpoint())
            if at.is_over:
                break
    for hashes in _dropped(client, repository, since, at, reached):
        yield Page(rows=(), checkpoint=at.checkpoint(), dropped=hashes)


@dataclass(slots=True, kw_only=True)
class Position:
    """Where the walk stands: behind which cursor, or over the new commits altogether."""

    tips: list[str]
    as_of: datetime
    cursor: str = ""
    is_over: bool = False

    def checkpoint(self) -> Checkpoint:
        return {
            "tips": self.tips,
            "as_of": self.as_of.isoformat(),
            "cursor": self.cursor,
            "is_over": self.is_over,
        }


def _position(client: BitbucketCloudClient, repository: str, since: Since) -> Position:
    """Where a walk stood that stopped; else at its beginning, with the tips as they are now."""
    found = since.checkpoint
    if found is not None:
        return Position(**{**found, "as_of": datetime.fromisoformat(found["as_of"])})
    answers = list(whole(client.branches(repository), "branches"))
    targets = (inside(value, "target", "hash") for one in answers for value in values_of(one))
    tips = dict.fromkeys(target for target in targets if isinstance(target, str))
    return Position(tips=list(tips), as_of=clock_of(answers[0]))


def _new(
    client: BitbucketCloudClient, repository: str, since: Since, at: Position
) -> Iterator[list[Row]]:
    """The rows of each page of what the heads did not lead to; `at` moves on with them."""
    known, pages = set(since.heads), NewPages("commits")
    fresh = [tip for tip in at.tips if tip not in known]
    for answer in _from_cursor(client, repository, at.cursor, fresh, since.heads):
        values, following = page_of(answer)
        if following:
            pages.check([value.get("hash") for value in values])
        at.cursor, at.is_over = following or "", following is None
        yield parse.rows(values, commit, "hash")


def _from_cursor(
    client: BitbucketCloudClient,
    repository: str,
    cursor: str,
    include: Sequence[str],
    exclude: Sequence[str],
) -> Iterator[Answer]:
    """The pages behind a cursor; all of them where there is none, or it has died."""
    if cursor:
        answers = client.commits(repository, start=cursor)
        try:
            first = next(answers)
        except (BadRequest, BlockedAddress, NotFound, Gone, UnexpectedResponse):
            pass
        else:
            yield from chain([first], answers)
            return
    yield from _known(client, repository, include, exclude)


def _known(
    client: BitbucketCloudClient,
    repository: str,
    include: Sequence[str],
    exclude: Sequence[str],
    forgotten: set[str] | None = None,
) -> Iterator[Answer]:
    """The pages of what commits lead to and others do not; those that Bitbucket does not know any
    more are left out, and told in `forgotten`.
    """
    unknown = set[str]() if forgotten is None else forgotten
    while wanted := [one for one in include if one not in unknown]:
        answers = client.commits(
            repository, include=wanted, exclude=[one for one in exclude if one not in unknown]
        )
        try:
            first = next(answers)
        except UnknownHashes as error:
            if unknown.issuperset(error.hashes):
                raise
            unknown.update(error.hashes)
        else:
            yield from chain([first], answers)
            return


def _dropped(
    client: BitbucketCloudClient,
    repository: str,
    since: Since,
    at: Position,
    reached: Collection[str],
) -> Iterator[list[str]]:
    """Hashes to which a head led, and no tip leads any more; the parents of new commits are led to.

    Of what Bitbucket has forgotten it cannot name the ancestors; no tips at all prove nothing.
    """
    if not at.tips:
        return
    tips, forgotten = set(at.tips), set[str]()
    lost = [head for head in since.heads if head not in tips and head not in reached]
    for answer in _known(client, repository, lost, at.tips, forgotten):
        yield [text(value.get("hash"), HASH) for value in values_of(answer)]
    if forgotten.intersection(lost):
        yield sorted(forgotten.intersection(lost))


def _parents(row: Row) -> tuple[str, ...]:
    return row.parents if isinstance(row, CommitRow) else ()


def _is_too_old(row: Row, moment: datetime | None) -> bool:
    return moment is not None and isinstance(row, CommitRow) and row.committed_on < moment


def commit(value: Json) -> CommitRow:
    """A row of …/commits. `author.user` is absent where the e-mail belongs to no account."""
    hash_ = text(value.get("hash"), HASH)
    if not hash_:
        raise Unreadable("the commit has no hash")
    author = parse.person(inside(value, "author", "user"))
    parents = value.get("parents")
    hashes = [inside(one, "hash") for one in parents] if isinstance(parents, list) else []
    return CommitRow(
        hash=hash_,
        author=author,
        author_text="" if author else text(inside(value, "author", "raw"), AUTHOR),
        message=text(value.get("message")),
        parents=tuple(text(one, HASH) for one in hashes if one),
        committed_on=moment(value.get("date"), "date"),
    )
