"""A connection to the sandbox, and ways to run its syncs in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from celery import current_app
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.connectors import connector
from connections.models import Connection, Credential
from connections.services.selections import clean_selection
from ingestion import engine
from ingestion.models import Sync
from ingestion.quota import forget_lots
from ingestion.services.syncs import start_sync
from tenants import access
from tenants.actor import Actor
from tests.factories import ConnectionFactory, CredentialFactory, OrganizationFactory
from tests.sandbox import Sandbox, Scale
from tests.sandbox.world import Repository

EVERYTHING = tuple(stream.key for stream in connector("bitbucket_cloud").streams)
SCALE = Scale(repositories=2, pull_requests=60, pipelines=20, people=12)


@dataclass
class Copied:
    """A connection with its credential; `sync()` copies it, through all of its pauses."""

    connection: Connection
    credential: Credential
    token: str

    def choose(self, *streams: str) -> "Copied":
        """Copy these streams, with those that they need, and no others."""
        kind = connector(self.connection.connector)
        selection = clean_selection(kind, {**self.connection.selection, "streams": [*streams]})
        self.connection.selection = selection
        self.connection.save()
        return self

    def start(self, mode: str = "incremental", streams: list[str] | None = None) -> Sync:
        """A queued sync that nobody works on yet."""
        return start_sync(
            connection=self.connection,
            trigger=Sync.Trigger.PERSON,
            mode=mode,
            streams=streams,
            by=Actor.system(),
        )

    def sync(self, mode: str = "incremental", streams: list[str] | None = None) -> Sync:
        """A whole sync."""
        return engine.run_to_end(self.start(mode, streams).pk)


@pytest.fixture(autouse=True)
def _at_rest(settings: Settings) -> Iterator[None]:
    """Slices run when a test runs them; Bitbucket's trouble ends a sync at once."""
    settings.SYNC_RETRY_DELAYS = []
    settings.QUOTA_LIMIT = 100_000
    eager, current_app.conf.task_always_eager = current_app.conf.task_always_eager, False
    forget_lots()
    yield
    current_app.conf.task_always_eager = eager


@pytest.fixture
def scale() -> Scale:
    """How large the world of a test is."""
    return SCALE


@pytest.fixture
def connect(
    transactional_db: None, sandbox: Sandbox, scale: Scale
) -> Iterator[Callable[..., Copied]]:
    """Makes connections of one organization to the sandbox's workspace."""
    sandbox.reset(scale=scale)
    sandbox.quota.limit = 100_000
    organization = OrganizationFactory.create()

    def make(**kwargs: object) -> Copied:
        token = sandbox.tokens.workspace("acme", **kwargs)
        connection = ConnectionFactory.create(
            organization=organization, identity=sandbox.world.workspaces["acme"].uuid
        )
        credential = CredentialFactory.create(connection=connection, secrets={"api_token": token})
        return Copied(connection, credential, token)

    with access.enter(organization):
        yield make


@pytest.fixture
def copied(connect: Callable[..., Copied]) -> Copied:
    """A connection that has not been synced."""
    return connect()


@pytest.fixture
def api(sandbox: Sandbox, copied: Copied) -> Repository:
    """The repository as Bitbucket has it."""
    return sandbox.world.workspaces["acme"].repositories["api"]


@pytest.fixture
def lose_lease() -> Callable[[Sync], None]:
    """Lets the lease of a running sync be over, as after the death of its worker."""

    def lose(sync: Sync) -> None:
        Sync.objects.filter(pk=sync.pk).update(lease_until=now() - timedelta(seconds=1))

    return lose
