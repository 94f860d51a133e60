"""How many records Bitbucket has, by the `size` of a listing: to compare with what is here."""

from collections.abc import Callable
from datetime import datetime

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from ingestion.sources.bitbucket_cloud.answers import size_of, values_of
from ingestion.sources.bitbucket_cloud.pull_requests import ALL_STATES
from ingestion.sources.bitbucket_cloud.read import moment_or_none

Counting = Callable[[BitbucketCloudClient, str, datetime, datetime | None], int | None]


def count_pull_requests(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> int | None:
    """Those in every state that were opened until a moment."""
    query = f"created_on <= {until.isoformat()} AND {ALL_STATES}"
    if not_before:
        query = f"updated_on >= {not_before.isoformat()} AND {query}"
    return size_of(client.count_pull_requests(repository, q=query))


def count_pipelines(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> int | None:
    """All runs less those of the newest page that are too new. There is no `q` for pipelines: a
    history window cannot be counted, nor a page that is all too new.
    """
    answer = client.pipelines(repository)
    size, values = size_of(answer), values_of(answer)
    moments = [moment_or_none(value.get("created_on")) for value in values]
    newer = sum(moment is not None and moment > until for moment in moments)
    if not_before or size is None or (newer and newer == len(values) < size):
        return None
    return size - newer


COUNTS: dict[str, Counting] = {
    "pull_requests": count_pull_requests,
    "pipelines": count_pipelines,
}
