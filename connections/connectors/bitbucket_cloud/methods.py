"""How Bitbucket Cloud is entered: fields, scopes with the reason for each, where to make them.

Scopes and who can make what: https://developer.atlassian.com/cloud/bitbucket/rest/intro/ and
https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/.
"""

from dataclasses import replace

from connections.connectors.bitbucket_cloud.places import REPOSITORY
from connections.connectors.declarations import Field, Kind, Method, Scope

PULL_REQUESTS = ("pull_requests", "pull_request_activity", "pull_request_comments")
PIPELINES = ("pipelines", "pipeline_steps", "deployments")

_WHY = {
    "repository": "List repositories, their branches and commits.",
    "account": "List the members of the workspace.",
    "pullrequest": "Read pull requests, their reviews, comments and updates.",
    "pipeline": "Read pipelines, their steps and deployments.",
    "webhook": "Make webhooks, which tell of changes at once. Not needed to sync records.",
    "webhooks": "See whether webhooks can tell of changes at once. Not needed to sync records.",
    "webhooks_made": "Make webhooks, and remove them again. Not needed to sync records.",
    "user": "Show whose token it is.",
    "workspace": "See that the workspace exists, and list its members.",
}

CLASSIC = (
    Scope(name="repository", why=_WHY["repository"]),
    Scope(name="account", why=_WHY["account"], streams=("people",)),
    Scope(name="pullrequest", why=_WHY["pullrequest"], streams=PULL_REQUESTS),
    Scope(name="pipeline", why=_WHY["pipeline"], streams=PIPELINES),
    Scope(name="webhook", why=_WHY["webhook"], optional=True),
)
_OF_TOKENS = tuple(
    replace(scope, why=f"{scope.why} Only a workspace token can have it.")
    if scope.name == "account"
    else scope
    for scope in CLASSIC
)
GRANULAR = (
    Scope(name="read:workspace:bitbucket", why=_WHY["workspace"]),
    Scope(name="read:repository:bitbucket", why=_WHY["repository"]),
    Scope(name="read:pullrequest:bitbucket", why=_WHY["pullrequest"], streams=PULL_REQUESTS),
    Scope(name="read:pipeline:bitbucket", why=_WHY["pipeline"], streams=PIPELINES),
    Scope(name="read:user:bitbucket", why=_WHY["user"], optional=True),
    Scope(name="read:webhook:bitbucket", why=_WHY["webhooks"], optional=True),
    *(
        Scope(name=name, why=_WHY["webhooks_made"], optional=True, writes=True)
        for name in ("write:webhook:bitbucket", "delete:webhook:bitbucket")
    ),
)

_EMAIL = Field(
    name="username",
    label="Atlassian account e-mail",
    help="The address that you sign in to Atlassian with; not the Bitbucket user name.",
    kind="email",
    max_length=254,
    pattern=r"^[^@\s:]+@[^@\s:.]+(\.[^@\s:.]+)+$",  # read in one go, however long
    placeholder="ada@example.com",
)
_ALSO = ("access_token", "token")
_TOKEN = 4096  # Bitbucket's tokens grow; OAuth ones already exceed 2,500 characters

OAUTH = Method(
    key="oauth2",
    label="Bitbucket authorization",
    summary="You sign in at Bitbucket and allow it. Nothing to copy, renewed by itself.",
    needs="A Bitbucket account that sees the workspace. Acts as that account.",
    scopes=CLASSIC,
    help_url="https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/",
    by_consent=True,
)
_OF_PARTS = tuple(scope for scope in CLASSIC if scope.name != "account")
_DOCS = "https://support.atlassian.com/bitbucket-cloud/docs"
KINDS = (
    Kind(
        key="workspace",
        label="Workspace access token",
        needs="Made by a workspace admin; takes the Premium plan. Sees the whole workspace.",
        scopes=CLASSIC,
        help_url=f"{_DOCS}/workspace-access-tokens/",
        made_at="https://bitbucket.org/{workspace}/workspace/settings/access-tokens",
    ),
    Kind(
        key="project",
        label="Project access token",
        needs="Made by a project admin; takes the Premium plan. Sees the project's repositories.",
        scopes=_OF_PARTS,
        help_url=f"{_DOCS}/create-a-project-access-token/",
        never=("people",),
    ),
    Kind(
        key="repository",
        label="Repository access token",
        needs="Made by a repository admin, on any plan. Sees that repository only.",
        scopes=_OF_PARTS,
        help_url=f"{_DOCS}/repository-access-tokens/",
        made_at="https://bitbucket.org/{workspace}/{repository}/admin/access-tokens",
        never=("people",),
    ),
)
ACCESS_TOKEN = Method(
    key="access_token",
    label="Workspace access token",
    summary="A token of the workspace itself, tied to no person. Best for teams.",
    needs=(
        "A workspace or project token: made by a workspace or project admin, Premium plan. "
        "A repository token: made by a repository admin, any plan; it sees that repository only."
    ),
    settings=(
        Field(
            name="repository",
            label="Repository",
            help="Only for a repository access token: the repository it belongs to, "
            "by its name or any address of it.",
            required=False,
            max_length=500,
            pattern=REPOSITORY,
        ),
    ),
    secrets=(
        Field(
            name="api_token",
            label="Access token",
            help="Begins with ATCTT.",
            secret=True,
            kind="password",
            max_length=_TOKEN,
            pattern=r"^[\x21-\x7e]+$",
            aliases=_ALSO,
        ),
    ),
    scopes=_OF_TOKENS,
    help_url=f"{_DOCS}/access-tokens/",
    made_at="https://bitbucket.org/{workspace}/workspace/settings/access-tokens",
    kinds=KINDS,
)
API_TOKEN = Method(
    key="api_token",
    label="Atlassian API token",
    summary="A token of your Atlassian account. Acts as you and sees what you see.",
    needs="Anyone, on any plan. Make it “with scopes”; it lives for a year at most.",
    settings=(_EMAIL,),
    secrets=(
        Field(
            name="password",
            label="Atlassian API token",
            help="Begins with ATATT.",
            secret=True,
            kind="password",
            max_length=_TOKEN,
            pattern=r"^[\x21-\x7e]+$",
            aliases=_ALSO,
        ),
    ),
    scopes=GRANULAR,
    help_url="https://id.atlassian.com/manage-profile/security/api-tokens",
    made_at="https://id.atlassian.com/manage-profile/security/api-tokens",
)
ENDED = (
    "Bitbucket ended app passwords on 2026-07-28. Make an Atlassian API token with scopes "
    "instead, and use it with the e-mail of the Atlassian account."
)
APP_PASSWORD = Method(
    key="app_password",
    label="App password",
    summary="Ended by Bitbucket on 2026-07-28.",
    needs=ENDED,
    settings=(Field(name="username", label="Bitbucket user name", max_length=254, required=False),),
    secrets=(
        Field(
            name="password",
            label="App password",
            secret=True,
            kind="password",
            max_length=_TOKEN,
            aliases=("token",),
        ),
    ),
    help_url="https://support.atlassian.com/bitbucket-cloud/docs/api-tokens/",
    deprecated=True,
)
METHODS = (OAUTH, ACCESS_TOKEN, API_TOKEN, APP_PASSWORD)
