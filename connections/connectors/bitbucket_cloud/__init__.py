"""Bitbucket Cloud: workspaces at bitbucket.org."""

from connections.connectors.bitbucket_cloud.connector import BitbucketCloud

__all__ = ("BitbucketCloud",)
