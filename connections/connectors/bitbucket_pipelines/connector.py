"""What Bitbucket Pipelines is, in data: a part of Bitbucket Cloud, with a token of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from connections.connectors.base import Check, Endpoint, Field, Method, Stream
from connections.connectors.bitbucket_cloud import BitbucketCloud
from connections.connectors.bitbucket_cloud.methods import PIPELINES
from connections.connectors.bitbucket_pipelines.methods import METHODS
from connections.connectors.schema import clean

FIRST = ("workspace", "repositories", "account")  # checks of the connection itself


def _stream(stream: Stream) -> Stream:
    """As Bitbucket Cloud has it; but its repositories are the parent's, and all of it is usual."""
    needs = tuple(key for key in stream.needs if key in PIPELINES)
    return replace(stream, needs=needs, required=not needs, usual=True)


def _check(check: Check) -> Check:
    return replace(check, stream=check.stream if check.stream in PIPELINES else "")


class BitbucketPipelines(BitbucketCloud):
    """The pipelines of a workspace whose repositories another connection knows."""

    key = "bitbucket_pipelines"
    label = "Bitbucket Pipelines"
    summary = "Pipelines, steps and deployments of a connected workspace, with a token of its own."
    icon = "rocket-launch"
    requires_parent = BitbucketCloud.key
    settings: ClassVar[tuple[Field, ...]] = ()
    methods: ClassVar[tuple[Method, ...]] = METHODS
    streams: ClassVar[tuple[Stream, ...]] = tuple(
        _stream(stream) for stream in BitbucketCloud.streams if stream.key in PIPELINES
    )
    checks: ClassVar[tuple[Check, ...]] = tuple(
        _check(check)
        for check in BitbucketCloud.checks
        if check.name in FIRST or check.stream in PIPELINES
    )

    webhooks = None  # its parent's tell of builds too
    endpoints: ClassVar[tuple[Endpoint, ...]] = tuple(
        endpoint
        for endpoint in BitbucketCloud.endpoints
        if set(endpoint.streams) & set(PIPELINES)
        or not (endpoint.streams or "/hooks" in endpoint.path)
    )

    def clean_settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Nothing is asked: the workspace is the parent's. Raises InvalidFields."""
        return clean(self.settings, settings, below="settings")

    @property
    def authorizations(self) -> None:
        return None
