"""Connections whose webhooks can be made, for tests of services, API and pages."""

from connections.models import Connection, Credential
from ingestion.models import Repository
from tests.factories import CredentialFactory, RepositoryFactory
from tests.sandbox import Sandbox
from tests.sandbox.scopes import READ_ALL_GRANULAR
from tests.sandbox.world import Hook, Workspace

ADA = "ada@example.com"
WRITES = [*READ_ALL_GRANULAR, "write:webhook:bitbucket", "delete:webhook:bitbucket"]


def acme(sandbox: Sandbox) -> Workspace:
    return sandbox.world.workspaces["acme"]


def of_owner(connection: Connection, sandbox: Sandbox, email: str = ADA) -> Credential:
    """A credential of a person; Ada owns acme, and so may make webhooks of all of it."""
    made: Credential = CredentialFactory.create(
        connection=connection,
        method="api_token",
        label=f"API token of {email}",
        settings={"username": email},
        secrets={"password": sandbox.tokens.api_token(email, WRITES)},
    )
    return made


def chosen(connection: Connection, sandbox: Sandbox, *slugs: str) -> list[Repository]:
    """These repositories of acme, as a sync would have listed them; all of them without a name."""
    found = acme(sandbox).repositories
    return [
        RepositoryFactory.create(
            connection=connection, uuid=found[slug].uuid, name=slug, full_name=f"acme/{slug}"
        )
        for slug in (slugs or found)
    ]


def hooks_of(sandbox: Sandbox, slug: str = "") -> list[Hook]:
    """The webhooks at Bitbucket: of the workspace, or of one repository."""
    place = acme(sandbox)
    return list((place.repositories[slug] if slug else place).hooks.values())
