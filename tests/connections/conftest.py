"""What tests of connections share."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from connections.connectors import connector
from connections.connectors.base import Connector, Entry
from connections.models import Connection, Credential
from ingestion.quota import forget_lots
from tenants.actor import Actor
from tenants.models import Organization, User
from tests.factories import ConnectionFactory, CredentialFactory
from tests.sandbox import Sandbox

CALLBACK = "http://testserver/consent/bitbucket/"


@pytest.fixture(autouse=True)
def _no_lots_of_other_tests() -> Iterator[None]:
    """Permits are kept in the process; the rows behind them go with each test."""
    forget_lots()
    yield
    forget_lots()


@pytest.fixture
def cloud() -> Connector:
    """The connector of Bitbucket Cloud."""
    return connector("bitbucket_cloud")


@pytest.fixture
def actor(owner: User) -> Actor:
    """The owner, acting."""
    return Actor.for_user(owner)


@pytest.fixture
def consumer(sandbox: Sandbox, settings: Settings) -> str:
    """An OAuth consumer that the settings name; the callback is that of the tests."""
    scopes = ["account", "repository", "pullrequest", "pipeline"]
    sandbox.consumers.add("tests", "tests-consumer-secret", CALLBACK, scopes)
    settings.BITBUCKET_OAUTH_CLIENT_ID = "tests"
    settings.BITBUCKET_OAUTH_CLIENT_SECRET = "tests-consumer-secret"
    return "tests"


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    """A workspace access token of acme that may read everything."""
    return sandbox.tokens.workspace("acme")


@pytest.fixture
def connection(organization: Organization, sandbox: Sandbox, token: str) -> Connection:
    """A connection to acme with one working credential."""
    workspace = sandbox.world.workspaces["acme"]
    made = ConnectionFactory.create(organization=organization, identity=workspace.uuid)
    CredentialFactory.create(connection=made, secrets={"api_token": token})
    return made


@pytest.fixture
def credential(connection: Connection) -> Credential:
    """That credential."""
    found: Credential = connection.credentials.get()
    return found


def token_entry(secret: str, workspace: str = "acme", **settings: str) -> Entry:
    """An entry by access token."""
    return Entry(
        method="access_token",
        settings={"workspace": workspace, **settings},
        secrets={"api_token": secret},
    )


def api_token_entry(secret: str, username: str = "ada@example.com", acts_as: str = "") -> Entry:
    """An entry by Atlassian API token."""
    return Entry(
        method="api_token",
        settings={"workspace": "acme", "username": username},
        secrets={"password": secret},
        acts_as=acts_as,
    )
