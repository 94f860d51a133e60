"""Bitbucket Pipelines as the engine sees it: walked and read as Bitbucket Cloud's are."""

from connections.connectors.bitbucket_cloud.methods import PIPELINES
from ingestion.sources.bitbucket_cloud import BitbucketCloudSource


class BitbucketPipelinesSource(BitbucketCloudSource):
    """Reads the pipelines of one workspace. The engine asks for no other stream."""

    streams = PIPELINES
