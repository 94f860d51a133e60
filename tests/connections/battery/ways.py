"""Every way in: how a secret of it is made in the sandbox, and entered in a draft."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import Scope
from connections.models import Connection, Draft, Grant
from connections.services import drafts
from tenants.actor import Actor
from tenants.models import Organization, User
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox

ADA, WORKSPACE = "ada@example.com", "acme"
Make = Callable[[Sandbox, Iterable[str]], str]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way in. `make` makes a secret with these scopes for the workspace acme."""

    connector: str
    method: str
    make: Make
    kind: str = ""
    settings: dict[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.connector}-{self.kind or self.method}"

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that the page lists for it."""
        return connector(self.connector).method(self.method).scopes_of(self.kind)

    @property
    def never(self) -> tuple[str, ...]:
        """The streams that no secret of it can read."""
        found = connector(self.connector).method(self.method).kind(self.kind)
        return found.never if found else ()

    def parent(self, organization: Organization, sandbox: Sandbox) -> Connection | None:
        """A connection of the workspace acme that works, where one of this kind stands beneath."""
        above = connector(self.connector).requires_parent
        if not above:
            return None
        made: Connection = ConnectionFactory.create(
            organization=organization,
            connector=above,
            identity=sandbox.world.workspaces[WORKSPACE].uuid,
        )
        return made

    def draft(
        self,
        organization: Organization,
        owner: User,
        secret: str,
        sandbox: Sandbox,
        *,
        parent: Connection | None = None,
    ) -> Draft:
        """A draft of everything there is to copy, entered with this secret."""
        kind, actor = connector(self.connector), Actor.for_user(owner)
        begun = drafts.start_draft(
            organization=organization,
            connector=self.connector,
            by=owner,
            actor=actor,
            parent=parent,
        )
        every = [stream.key for stream in kind.streams if stream.key not in self.never]
        begun = drafts.choose(draft=begun, name=f"{WORKSPACE} {self}", selection={"streams": every})
        method = kind.method(self.method)
        if method.by_consent:
            return _consented(begun, secret, actor, sandbox.world.workspaces[WORKSPACE].uuid)
        return drafts.fill_draft(
            draft=begun,
            method=self.method,
            settings={"workspace": WORKSPACE, **(self.settings or {})},
            secrets={method.secrets[0].name: secret},
            actor=actor,
        )


def _consented(draft: Draft, secret: str, actor: Actor, uuid: str) -> Draft:
    """The draft with an authorization that was given for the workspace."""
    grant = Grant.objects.create(
        organization_id=draft.organization_id,
        connector=draft.connector,
        consumer="tributary",
        identity="{ada}",
        workspaces=[{"id": uuid, "slug": WORKSPACE, "is_administrator": True}],
        secrets={"access_token": secret, "refresh_token": "none"},
        expires_at=now() + timedelta(hours=2),
    )
    return drafts.use_grant(draft=draft, grant=grant, actor=actor)


def _authorized(sandbox: Sandbox, scopes: Iterable[str]) -> str:
    ada = sandbox.world.persona("ada")
    token = sandbox.tokens.oauth(
        ada, consumer="tributary", scopes=list(scopes), ticked=None, seconds=7200
    )
    return token.secret


def _by_tokens(connector: str) -> tuple[Way, ...]:
    """Every token that Bitbucket has, for one of its connectors."""
    return (
        Way(
            connector=connector,
            method="access_token",
            kind="workspace",
            make=lambda sandbox, scopes: sandbox.tokens.workspace("acme", scopes),
        ),
        Way(
            connector=connector,
            method="access_token",
            kind="project",
            make=lambda sandbox, scopes: sandbox.tokens.project("acme", "CORE", scopes),
        ),
        Way(
            connector=connector,
            method="access_token",
            kind="repository",
            make=lambda sandbox, scopes: sandbox.tokens.repository("acme", "api", scopes),
            settings={"repository": "api"},
        ),
        Way(
            connector=connector,
            method="api_token",
            make=lambda sandbox, scopes: sandbox.tokens.api_token(ADA, scopes),
            settings={"username": ADA},
        ),
    )


CLOUD, PIPELINES = "bitbucket_cloud", "bitbucket_pipelines"
WAYS = (
    Way(connector=CLOUD, method="oauth2", make=_authorized),
    *_by_tokens(CLOUD),
    *_by_tokens(PIPELINES),
)
