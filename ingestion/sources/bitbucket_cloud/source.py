"""Bitbucket Cloud as the engine sees it: one walk per stream."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.errors import InvalidPermissions, NotFound
from ingestion.sources.base import Count, Key, Since, Source, Walk
from ingestion.sources.bitbucket_cloud import costs, listings, measuring
from ingestion.sources.bitbucket_cloud.commits import walk_commits, walk_newest
from ingestion.sources.bitbucket_cloud.counts import COUNTS
from ingestion.sources.bitbucket_cloud.deployments import walk_deployments
from ingestion.sources.bitbucket_cloud.feed import walk_feed, walk_histories
from ingestion.sources.bitbucket_cloud.hints import hint
from ingestion.sources.bitbucket_cloud.pipelines import walk_pipelines, walk_runs
from ingestion.sources.bitbucket_cloud.probes import PROBES, RECORDS
from ingestion.sources.bitbucket_cloud.pull_requests import walk_open, walk_pull_requests
from ingestion.sources.bitbucket_cloud.steps import walk_steps
from ingestion.sources.costs import Sizes


class BitbucketCloudSource(Source):
    """Reads one workspace through one client. Every walk raises ProviderError."""

    streams: ClassVar[tuple[str, ...]] = (
        "repositories",
        "people",
        "pull_requests",
        "pull_request_activity",
        "pull_request_comments",
        "pipelines",
        "pipeline_steps",
        "deployments",
        "commits",
    )
    counted = tuple(COUNTS)

    moves = staticmethod(costs.moves)
    measures, costs = costs.MEASURES, costs.COSTS
    hint = staticmethod(hint)

    def __init__(self, client: BitbucketCloudClient) -> None:
        self._client = client

    def repositories(self) -> Walk:
        return listings.walk_repositories(self._client)

    def people(self) -> Walk:
        return listings.walk_people(self._client)

    def pull_requests(self, repository: str, since: Since) -> Walk:
        return walk_pull_requests(self._client, repository, since)

    def open_pull_requests(self, repository: str, since: datetime | None = None) -> Walk:
        return walk_open(self._client, repository, since)

    def activity(self, repository: str, since: Since) -> Walk:
        return walk_feed(self._client, repository, since)

    def histories(self, repository: str, pull_requests: Sequence[int]) -> Walk:
        return walk_histories(self._client, repository, pull_requests)

    def comments(self, repository: str, pull_requests: Sequence[int]) -> Walk:
        return listings.walk_comments(self._client, repository, pull_requests)

    def pipelines(self, repository: str, since: Since) -> Walk:
        return walk_pipelines(self._client, repository, since)

    def pipeline_runs(self, repository: str, runs: Sequence[str]) -> Walk:
        return walk_runs(self._client, repository, runs)

    def steps(self, repository: str, runs: Sequence[str]) -> Walk:
        return walk_steps(self._client, repository, runs)

    def measure(
        self, name: str, repository: str, since: datetime | None, notes: dict[str, Any]
    ) -> Sizes:
        return measuring.measure(self._client, name, repository, since, notes)

    def deployments(self, repository: str) -> Walk:
        return walk_deployments(self._client, repository)

    def commits(self, repository: str, since: Since) -> Walk:
        return walk_commits(self._client, repository, since)

    def newest_commits(
        self, repository: str, hashes: Sequence[str], not_before: datetime | None
    ) -> Walk:
        return walk_newest(self._client, repository, hashes, not_before)

    def probe(self, stream: str, repository: str, keys: Sequence[Key]) -> Walk:
        return PROBES[stream](self._client, repository, keys)

    def records(self, stream: str, repository: str, keys: Sequence[Key]) -> Walk:
        return RECORDS[stream](self._client, repository, keys)

    def is_gone(self, repository: str) -> bool:
        try:
            self._client.repository(repository)
        except NotFound:
            return True
        except InvalidPermissions as error:
            if error.missing_scopes:
                raise
            return True
        return False

    def count(
        self, stream: str, repository: str, *, until: datetime, not_before: datetime | None
    ) -> Count | None:
        return COUNTS[stream](self._client, repository, until, not_before)
