"""Asks for single records that a whole walk did not show: each by its own address.

A refusal is believed only where the list in which the record would stand is shown, and does not
show it: else all that is refused would be taken as gone.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient, one
from connections.transport.answers import Answer
from connections.transport.errors import InvalidPermissions, NotFound, UnexpectedResponse
from ingestion.sources.base import Key, Page, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import values_of
from ingestion.sources.bitbucket_cloud.commits import commit, known_commits, tips_of
from ingestion.sources.bitbucket_cloud.deployments import deployment, environments_of
from ingestion.sources.bitbucket_cloud.pull_requests import ALL_STATES, is_gone
from ingestion.sources.bitbucket_cloud.read import Json, Unreadable
from ingestion.sources.rows import RejectedRecord, Row

Probe = Callable[[BitbucketCloudClient, str, Sequence[Key]], Walk]


def _singly(
    keys: Sequence[Key],
    ask: Callable[[Any], Answer],
    read: Callable[[Any, Json], Row],
    listed: Callable[[Sequence[Any]], Collection[Any]],
) -> Walk:
    """A page with each record that is shown; at last one that names those that are not.

    `listed` tells which of those that are refused their list shows all the same.
    """
    refused: list[Key] = []
    for key in keys:
        try:
            answer = ask(key)
        except (NotFound, InvalidPermissions) as error:
            if isinstance(error, InvalidPermissions) and error.missing_scopes:
                raise
            refused.append(key)
        else:
            yield Page(rows=[_row(one(answer), partial(read, key), key)], there=[key])
    if refused:
        shown = listed(refused)
        gone = [key for key in refused if key not in shown]
        yield Page(rows=(), gone=gone, there=[key for key in refused if key in shown])


def _row(value: Json, read: Callable[[Json], Row], key: Key) -> Row:
    """The row of a record; one that cannot be read is named as it was asked for."""
    try:
        return read(value)
    except Unreadable as problem:
        *parent, name = key if isinstance(key, tuple) else (key,)
        told = {"reason": str(problem), "parent": str(parent[0]) if parent else ""}
        return RejectedRecord(key=str(name), **told)


def probe_pull_requests(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """By their numbers."""

    def listed(numbers: Sequence[int]) -> set[int]:
        query = f"({_any_of(numbers)}) AND {ALL_STATES}"
        return {one["id"] for one in values_of(next(client.pull_requests(repository, q=query)))}

    ask = partial(client.pull_request, repository)
    yield from _singly(keys, ask, lambda _, value: parse.pull_request(value), listed)


def probe_comments(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """By the number of their pull request and their own."""

    def listed(pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        found, wanted = set[tuple[int, int]](), defaultdict[int, list[int]](list)
        for number, comment in pairs:
            wanted[number].append(comment)
        for number, comments in wanted.items():
            try:
                answer = next(client.comments(repository, number, q=_any_of(comments)))
            except NotFound:
                if not is_gone(client, repository, number):
                    raise
            else:
                found |= {(number, one["id"]) for one in values_of(answer)}
        return found

    yield from _singly(
        keys,
        lambda key: client.comment(repository, *key),
        lambda key, value: parse.comment(value, key[0]),
        listed,
    )


def probe_pipelines(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """By their uuids. Their list takes no query: that it is shown must do."""

    def listed(_: Sequence[str]) -> set[str]:
        values_of(client.pipelines(repository, pagelen=1))
        return set()

    ask = partial(client.pipeline, repository)
    yield from _singly(keys, ask, lambda _, value: parse.pipeline(value), listed)


def probe_deployments(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """By their uuids, as pipelines."""
    environments = environments_of(client, repository)

    def listed(_: Sequence[str]) -> set[str]:
        values_of(next(client.deployments(repository)))
        return set()

    ask = partial(client.deployment, repository)
    yield from _singly(keys, ask, lambda _, value: deployment(value, environments), listed)


def probe_commits(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """By what they lead to and branches do not: of a commit that is shown no branch need know.

    Raises UnexpectedResponse where no branch is shown, or one that leads to nothing.
    """
    tips, forgotten, listed = tips_of(client, repository)[0], set[str](), set[object]()
    if tips:
        wanted = [str(key) for key in keys]
        for answer in known_commits(client, repository, wanted, tips, forgotten):
            listed.update(value.get("hash") for value in values_of(answer))
    if not tips or forgotten.intersection(tips):
        raise UnexpectedResponse("Bitbucket lists no branches, or such as lead to nothing.")
    gone = [key for key in keys if key in listed or key in forgotten]
    yield Page(rows=(), gone=gone, there=[key for key in keys if key not in gone])


def fetch_commits(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """By their hashes, whether a branch leads to them or not."""

    def listed(_: Sequence[str]) -> set[str]:
        tips_of(client, repository)
        return set()

    ask = partial(client.commit, repository)
    yield from _singly(keys, ask, lambda _, value: commit(value), listed)


def fetch_repository(client: BitbucketCloudClient, repository: str, keys: Sequence[Key]) -> Walk:
    """The repository itself. Whether its list shows it is not asked: that may be long."""
    ask, read = client.repository, lambda _, value: parse.repository(value)
    yield from _singly([repository], ask, read, lambda _: set())


def _any_of(numbers: Sequence[int]) -> str:
    return " OR ".join(f"id = {number}" for number in numbers)


PROBES: dict[str, Probe] = {
    "pull_requests": probe_pull_requests,
    "pull_request_comments": probe_comments,
    "pipelines": probe_pipelines,
    "deployments": probe_deployments,
    "commits": probe_commits,
}
RECORDS = {**PROBES, "commits": fetch_commits, "repositories": fetch_repository}
