"""What the client asks for of each record is all that is read of it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from connections.connectors import connector
from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.answers import Answer
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.feed import feed_rows
from ingestion.sources.rows import Row
from tests.connections.conftest import token_entry
from tests.sandbox import Sandbox, Scale

pytestmark = pytest.mark.django_db

ALL = 'state IN ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")'
PEOPLE = "+values.participants"
Client = BitbucketCloudClient
Ask = Callable[[Client], Iterator[Answer]]
LISTS: dict[str, tuple[Ask, str, Callable[[list[Any]], list[Row]]]] = {
    "pull requests": (
        lambda client: client.pull_requests("api", q=ALL),
        "pullrequests",
        lambda values: parse.rows(values, parse.pull_request, "id"),
    ),
    "activity": (lambda client: client.activity("api"), "pullrequests/activity", feed_rows),
    "comments": (
        lambda client: client.comments("api", 4),
        "pullrequests/4/comments",
        lambda values: parse.rows(values, partial(parse.comment, pull_request=4), "id"),
    ),
}


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    sandbox.reset(scale=Scale(repositories=1, pull_requests=30))
    with connector("bitbucket_cloud").client(token_entry(sandbox.tokens.workspace("acme"))) as made:
        yield made


@pytest.mark.parametrize(("ask", "path", "read"), LISTS.values(), ids=LISTS)
def test_whole_records_say_no_more_than_those_that_are_asked_for(
    ask: Ask, path: str, read: Callable[[list[Any]], list[Row]], client: Client
) -> None:
    query: list[tuple[str, str]] = [("pagelen", "50"), ("q", ALL), ("sort", "updated_on")]
    whole = client.transport.pages(
        f"/repositories/acme/api/{path}",
        [*query[: None if path == "pullrequests" else 1], ("fields", PEOPLE)],
    )

    told = [row for page in ask(client) for row in read(page.json["values"])]

    assert len(told) >= 2
    assert told == [row for page in whole for row in read(page.json["values"])]
