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
LACKS = "Bitbucket's list of commits lacks one that is there."


def walk_commits(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """New commits, newest first, each page with the cursor behind it; then what was dropped."""
    at = _position(client, repository, since)
    yield Page(rows=(), as_of=at.as_of, heads=at.tips, checkpoint=at.checkpoint())
    reached, were = set[str](), set(since.were)
    if not at.is_over:
        for rows in _new(client, repository, since, at):
            reached.update(were.intersection(one for row in rows for one in _parents(row)))
            kept, older = _by_age(rows, since.not_before)
            at.is_over = at.is_over or (bool(rows) and not kept)
            yield Page(rows=kept, older=older, checkpoint=at.checkpoint())
            if at.is_over:
                break
    for page in _dropped(client, repository, since, at, reached):
        page.checkpoint = at.checkpoint()
        yield page


def walk_newest(
    client: BitbucketCloudClient,
    repository: str,
    hashes: Sequence[str],
    not_before: datetime | None,
) -> Walk:
    """The first page of what these lead to, which nothing is left out of, so that it shows some of
    them: the newest comes first.
    """
    for answer in known_commits(client, repository, hashes, ()):
        values = values_of(answer)
        if not any(value.get("hash") in hashes for value in values):
            raise UnexpectedResponse(LACKS)
        yield Page(rows=_by_age(parse.rows(values, commit, "hash"), not_before)[0])
        return


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
    tips, as_of = tips_of(client, repository)
    return Position(tips=tips, as_of=as_of)


def tips_of(client: BitbucketCloudClient, repository: str) -> tuple[list[str], datetime]:
    """The hashes at the tips of all branches, each once, and Bitbucket's clock."""
    answers = list(whole(client.branches(repository), "branches"))
    targets = (inside(value, "target", "hash") for one in answers for value in values_of(one))
    tips = dict.fromkeys(target for target in targets if isinstance(target, str))
    return list(tips), clock_of(answers[0])


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
    yield from known_commits(client, repository, include, exclude)


def known_commits(
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
) -> Iterator[Page]:
    """What heads led to, and no tip leads to any more; the parents of new commits are led to.

    These lists tell no size, so what they lead to is asked for, until nothing comes but one commit
    that is known, the anchor, of whose parents none is: a list without its end, or without
    anything, would lack it or show others. Of what Bitbucket has forgotten it cannot name the
    ancestors; no tips at all prove nothing.
    """
    tips, forgotten, named = set(at.tips), set[str](), dict[str, tuple[str, ...]]()
    were = dict.fromkeys(since.were)
    lost = [head for head in were if head not in tips and head not in reached]
    wanted, anchor = lost if tips else [], ""
    while wanted:
        listed, is_legible = dict[str, tuple[str, ...]](), True
        include = [*wanted, anchor] if anchor else wanted
        for answer in known_commits(client, repository, include, at.tips, forgotten):
            rows = parse.rows(values_of(answer), commit, "hash")
            found = {row.hash: row.parents for row in rows if isinstance(row, CommitRow)}
            is_legible = is_legible and all(isinstance(row, CommitRow) for row in rows)
            listed |= found
            yield Page(rows=(), gone=list(found))
        is_over = listed.keys() <= named.keys()
        is_cut = anchor not in listed or (is_over and is_legible and len(listed) > 1)
        if anchor and anchor not in forgotten and is_cut:
            raise UnexpectedResponse(LACKS)
        if is_over:
            break
        named |= listed
        ends = (one for one in reversed(named) if named.keys().isdisjoint(named[one]))
        anchor = next(ends, "")
        wanted = [one for one in dict.fromkeys(chain(*named.values())) if one not in named]
    unknown = forgotten.intersection(lost)
    doubted = [head for head in lost if head not in named and head not in unknown]
    if lost:
        yield Page(rows=(), gone=sorted(unknown), forgotten=sorted(unknown), lost=doubted)


def _parents(row: Row) -> tuple[str, ...]:
    return row.parents if isinstance(row, CommitRow) else ()


def _by_age(rows: Sequence[Row], moment: datetime | None) -> tuple[list[Row], list[str]]:
    """The rows of the history window that begins then, and the hashes of those before it."""
    kept, older = list[Row](), list[str]()
    for row in rows:
        if moment is not None and isinstance(row, CommitRow) and row.committed_on < moment:
            older.append(row.hash)
        else:
            kept.append(row)
    return kept, older


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
