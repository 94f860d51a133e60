"""Bitbucket Pipelines: runs, steps and deployments, beneath a connection to Bitbucket Cloud."""

from connections.connectors.bitbucket_pipelines.connector import BitbucketPipelines

__all__ = ("BitbucketPipelines",)
