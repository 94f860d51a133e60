"""Bitbucket Pipelines' streams: those of Bitbucket Cloud, in the repositories of another one."""

from ingestion.sources.bitbucket_pipelines.source import BitbucketPipelinesSource

__all__ = ("BitbucketPipelinesSource",)
