"""How many records Bitbucket has, by the `size` of a listing: to compare with what is here.

Feeds, commits and the steps of runs have no size.
"""

from collections.abc import Callable
from datetime import datetime

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.answers import Answer
from ingestion.sources.base import Count
from ingestion.sources.bitbucket_cloud.answers import size_of, values_of, whole
from ingestion.sources.bitbucket_cloud.pull_requests import ALL_STATES
from ingestion.sources.bitbucket_cloud.read import moment_or_none

Counting = Callable[[BitbucketCloudClient, str, datetime, datetime | None], Count | None]
MOST_LISTED = 2_000  # deployments that are listed to be counted, 100 with each request


def count_repositories(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> Count | None:
    """Those that were made until a moment."""
    return _sized(client.count_repositories(q=f"created_on <= {until.isoformat()}"))


def count_people(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> Count | None:
    """All members: since when somebody is one is not told."""
    return _sized(client.count_members())


def count_pull_requests(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> Count | None:
    """Those in every state that were opened until a moment."""
    query = f"created_on <= {until.isoformat()} AND {ALL_STATES}"
    if not_before:
        query = f"updated_on >= {not_before.isoformat()} AND {query}"
    return _sized(client.count_pull_requests(repository, q=query))


def count_pipelines(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> Count | None:
    """All runs less those of the newest page that are too new. There is no `q` for pipelines: a
    history window cannot be counted, nor a page that is all too new.
    """
    answer = client.pipelines(repository)
    size, values = size_of(answer), values_of(answer)
    moments = [moment_or_none(value.get("created_on")) for value in values]
    newer = sum(moment is not None and moment > until for moment in moments)
    if not_before or size is None or (newer and newer == len(values) < size):
        return None
    return Count(total=size - newer)


def count_deployments(
    client: BitbucketCloudClient, repository: str, until: datetime, not_before: datetime | None
) -> Count | None:
    """Those that did not change since a moment, by their uuids: the list has neither `q` nor an
    order, and knows no moment at which a deployment was made.
    """
    found = set[str]()
    for answer in whole(client.deployments(repository), "deployments"):
        if (size_of(answer) or 0) > MOST_LISTED:
            return None
        for value in values_of(answer):
            changed = moment_or_none(value.get("last_update_time"))
            if changed is None or changed <= until:
                found.add(str(value.get("uuid")))
    return Count(total=len(found), keys=frozenset(found))


def _sized(answer: Answer) -> Count | None:
    size = size_of(answer)
    return None if size is None else Count(total=size)


COUNTS: dict[str, Counting] = {
    "repositories": count_repositories,
    "people": count_people,
    "pull_requests": count_pull_requests,
    "pipelines": count_pipelines,
    "deployments": count_deployments,
}
