"""What Bitbucket Cloud is, in data."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from connections.connectors.base import (
    Authorizations,
    Check,
    CheckResult,
    Connector,
    Endpoint,
    Entry,
    Field,
    Method,
    Recognised,
    Stream,
)
from connections.connectors.bitbucket_cloud import entrance, pasted, places, verify
from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.connectors.bitbucket_cloud.endpoints import ENDPOINTS
from connections.connectors.bitbucket_cloud.methods import METHODS
from connections.connectors.bitbucket_cloud.oauth import BitbucketAuthorizations
from connections.connectors.bitbucket_cloud.scopes import needless
from connections.connectors.bitbucket_cloud.webhooks import BitbucketCloudWebhooks
from connections.connectors.findings import Finding
from connections.connectors.schema import clean
from connections.connectors.webhooks import Webhooks
from connections.transport.asks import Asks
from connections.transport.http import Transport
from connections.transport.ledger import Ledger

DAILY = 24 * 60  # minutes
_REPOSITORY = "/repositories/{workspace}/{repository}"
_ALL_STATES = "state=OPEN&state=MERGED&state=DECLINED&state=SUPERSEDED"


class BitbucketCloud(Connector):
    """A workspace at bitbucket.org."""

    key = "bitbucket_cloud"
    label = "Bitbucket Cloud"
    summary = "A workspace at bitbucket.org: repositories, pull requests, pipelines, people."
    icon = "cloud"
    place = "workspace"
    settings: ClassVar[tuple[Field, ...]] = (
        Field(
            name="workspace",
            label="Workspace",
            help="Its name, or any address of it: bitbucket.org/acme",
            placeholder="acme",
            max_length=500,
            pattern=places.WORKSPACE,
        ),
    )
    methods: ClassVar[tuple[Method, ...]] = METHODS
    endpoints: ClassVar[tuple[Endpoint, ...]] = ENDPOINTS
    webhooks: ClassVar[Webhooks | None] = BitbucketCloudWebhooks()
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream(
            key="repositories",
            label="Repositories",
            summary="Names, projects, main branches, sizes.",
            required=True,
        ),
        Stream(
            key="people",
            label="People",
            summary="The members of the workspace.",
            interval=DAILY,
        ),
        Stream(
            key="pull_requests",
            label="Pull requests",
            summary="Title, author, state, branches, reviewers and their approvals.",
            needs=("repositories",),
        ),
        Stream(
            key="pull_request_activity",
            label="Pull request history",
            summary="When something was opened, approved, updated, merged.",
            needs=("pull_requests",),
        ),
        Stream(
            key="pull_request_comments",
            label="Pull request comments",
            summary="Who commented, when, on which line.",
            needs=("pull_requests",),
        ),
        Stream(
            key="pipelines",
            label="Pipelines",
            summary="Runs with their trigger, state and duration.",
            needs=("repositories",),
        ),
        Stream(
            key="pipeline_steps",
            label="Pipeline steps",
            summary="What each run did and how long it took: one request for each finished run.",
            needs=("pipelines",),
            usual=False,
            interval=0,
        ),
        Stream(
            key="deployments",
            label="Deployments",
            summary="What went to which environment, and when. Each time all of them are read.",
            needs=("pipelines",),
            usual=False,
            interval=DAILY,
        ),
        Stream(
            key="commits",
            label="Commits",
            summary="Who committed what, and when, on all branches. No source code.",
            needs=("repositories",),
            usual=False,
            interval=0,
        ),
    )
    checks: ClassVar[tuple[Check, ...]] = (
        Check(
            name="workspace",
            label="See the workspace",
            path="/workspaces/{workspace}",
            required=True,
        ),
        Check(
            name="repositories",
            label="List repositories",
            path="/repositories/{workspace}?pagelen=100&sort=-updated_on",
            stream="repositories",
            required=True,
        ),
        Check(
            name="people",
            label="List people",
            path="/workspaces/{workspace}/members?pagelen=1",
            stream="people",
        ),
        Check(
            name="pull_requests",
            label="Read pull requests",
            path=f"{_REPOSITORY}/pullrequests?pagelen=1&{_ALL_STATES}",
            stream="pull_requests",
        ),
        Check(
            name="pull_request_activity",
            label="Read pull request history",
            path=f"{_REPOSITORY}/pullrequests/activity?pagelen=1",
            stream="pull_request_activity",
        ),
        Check(
            name="pull_request_comments",
            label="Read pull request comments",
            path=f"{_REPOSITORY}/pullrequests/{{pull_request}}/comments?pagelen=1",
            stream="pull_request_comments",
        ),
        Check(
            name="pipelines",
            label="Read pipelines",
            path=f"{_REPOSITORY}/pipelines?pagelen=1&sort=-created_on",
            stream="pipelines",
        ),
        Check(
            name="pipeline_steps",
            label="Read pipeline steps",
            path=f"{_REPOSITORY}/pipelines/{{pipeline}}/steps?pagelen=1",
            stream="pipeline_steps",
        ),
        Check(
            name="deployments",
            label="Read deployments",
            path=f"{_REPOSITORY}/deployments?pagelen=1",
            stream="deployments",
        ),
        Check(
            name="commits",
            label="Read commits",
            path=f"{_REPOSITORY}/commits?pagelen=1",
            stream="commits",
        ),
        Check(
            name="account",
            label="See whose secret it is",
            path="/user",
            optional=True,
            methods=("oauth2", "api_token"),
        ),
        Check(
            name="webhooks",
            label="See webhooks",
            path=f"{_REPOSITORY}/hooks?pagelen=1",
            optional=True,
        ),
    )

    def clean_settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        """`workspace` as its name or uuid. Raises InvalidFields."""
        found = clean(self.settings, settings, below="settings")
        return {"workspace": places.workspace_name(found["workspace"])}

    def clean_entry(self, settings: Mapping[str, str]) -> dict[str, str]:
        """`repository` as its name or uuid."""
        if "repository" not in settings:
            return dict(settings)
        return {**settings, "repository": places.repository_name(settings["repository"])}

    def quota_subject(self, entry: Entry) -> str:
        return entrance.quota_subject(entry)

    def transport(self, entry: Entry, *, ledger: Ledger | None = None) -> Transport:
        return entrance.transport(entry, ledger=ledger)

    def client(self, entry: Entry, transport: Asks | None = None) -> BitbucketCloudClient:
        return BitbucketCloudClient(entry, transport=transport)

    def recognise(self, secrets: Mapping[str, str], settings: Mapping[str, Any]) -> str:
        return entrance.recognise(secrets, settings)

    def shape_of(self, secret: str) -> str:
        return entrance.shape_of(secret)

    def identify(
        self, text: str, known: Mapping[str, str], *, method: str = "", organization: int = 0
    ) -> Recognised:
        return pasted.identify(text, known, method=method, organization=organization)

    def read_places(self, settings: Mapping[str, str]) -> dict[str, str]:
        return places.read_places(settings)

    def needless_scopes(
        self, granted: Collection[str], *, method: str, kind: str, streams: Collection[str]
    ) -> tuple[str, ...]:
        return needless(granted, self.method(method), kind, streams)

    @property
    def authorizations(self) -> Authorizations | None:
        return BitbucketAuthorizations()

    def verify(
        self,
        entry: Entry,
        *,
        streams: Collection[str] = (),
        on_result: Callable[[CheckResult], None] | None = None,
        whole_list: bool = False,
    ) -> Finding:
        return verify.verify(
            entry,
            method=self.method(entry.method),
            checks=self.checks_for(entry.method, streams),
            declared=self.streams,
            streams=streams,
            on_result=on_result,
            whole_list=whole_list,
        )
