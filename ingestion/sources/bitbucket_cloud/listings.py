"""Full listings: repositories, people, the comments of a pull request."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient, one
from connections.transport.answers import Answer
from connections.transport.errors import NotFound
from ingestion.sources.base import Page, ShortListing, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import (
    Length,
    clock_of,
    counted,
    size_of,
    values_of,
    whole,
)
from ingestion.sources.bitbucket_cloud.pull_requests import Refusals
from ingestion.sources.bitbucket_cloud.read import Json
from ingestion.sources.rows import Row


def walk_repositories(client: BitbucketCloudClient) -> Walk:
    """By the time of creation, so that what happens meanwhile moves no row between pages.

    A repository token cannot list them: it is asked for its own one.
    """
    if client.only_repository:
        answer = client.repository(client.only_repository)
        rows = parse.rows([one(answer)], parse.repository, "full_name")
        yield Page(rows=rows, as_of=clock_of(answer), expected=1)
        return
    ask = partial(client.repositories, sort="created_on")
    yield from _listing(ask, "repositories", parse.repository, "full_name")


def walk_people(client: BitbucketCloudClient) -> Walk:
    """The members of the workspace."""
    yield from _listing(client.members, "members", parse.member, "user")


def walk_comments(
    client: BitbucketCloudClient, repository: str, pull_requests: Sequence[int]
) -> Walk:
    """Each pull request's list in full; one that is gone meanwhile ends with no comments."""
    refusals = Refusals(client, repository)
    for number in pull_requests:
        read = partial(parse.comment, pull_request=number)
        end = Page(rows=(), finished=number)
        try:
            for answer in whole(client.comments(repository, number), "comments"):
                yield Page(rows=parse.rows(values_of(answer), read, "id", number))
                refusals.is_any_shown = True
        except NotFound as error:
            refusals.judge(end, number, error)
        except ShortListing:
            end.is_short = True
        yield end


def _listing(
    ask: Callable[[], Iterable[Answer]], what: str, read: Callable[[Json], Row], key: str
) -> Walk:
    """All of a listing. Where it ends short it is asked for again at once: one that shrank while it
    was read is whole then, and one that tells the same numbers has no more, whatever it says.

    Raises ShortListing where it is short in another way.
    """
    first, again = Length(), Length()
    yield from _pages(counted(ask(), what, first), read, key)
    if not first.is_short:
        return
    for page in _pages(counted(ask(), what, again), read, key):
        page.expected = None  # was told
        yield page
    if again == first:
        yield Page(rows=(), shortage=again.error(what))
    elif again.is_short or again.listed < first.listed:
        raise first.error(what)


def _pages(answers: Iterable[Answer], read: Callable[[Json], Row], key: str) -> Walk:
    as_of = expected = None
    for answer in answers:
        if as_of is None:
            as_of, expected = clock_of(answer), size_of(answer)
        yield Page(rows=parse.rows(values_of(answer), read, key), as_of=as_of, expected=expected)
        expected = None
