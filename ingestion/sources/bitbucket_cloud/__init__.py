"""Bitbucket Cloud's streams: how each is walked (walks) and read (parse)."""

from ingestion.sources.bitbucket_cloud.source import BitbucketCloudSource

__all__ = ("BitbucketCloudSource",)
