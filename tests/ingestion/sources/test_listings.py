"""Full listings, walked against the sandbox."""

from collections.abc import Callable, Iterator

import pytest

from connections.connectors import connector
from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.errors import UnexpectedResponse
from ingestion.quota import forget_lots
from ingestion.sources import source
from ingestion.sources.base import Source, Walk
from tests.connections.conftest import token_entry
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

WALKS: dict[str, Callable[[Source], Walk]] = {
    "repositories": lambda acme: acme.repositories(),
    "people": lambda acme: acme.people(),
    "open pull requests": lambda acme: acme.open_pull_requests("api"),
    "comments": lambda acme: acme.comments("api", [1]),
}


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[BitbucketCloudClient]:
    forget_lots()
    entry = token_entry(sandbox.tokens.workspace("acme"))
    with connector("bitbucket_cloud").client(entry) as opened:
        yield opened


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
@pytest.mark.parametrize("kind", ["endless_next", "cycling_next"])
def test_a_listing_without_an_end_is_left(
    kind: str, walk: Callable[[Source], Walk], client: BitbucketCloudClient, sandbox: Sandbox
) -> None:
    sandbox.faults.add(kind=kind, only_pages=True, times=50)

    with pytest.raises(UnexpectedResponse, match="no end"):
        list(walk(source("bitbucket_cloud", client)))

    assert len(sandbox.requests) < 6
