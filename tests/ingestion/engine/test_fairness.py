"""Two organizations and one worker: the one that copies very much keeps the other from nothing.

The tick and the worker are the product's, in this process; slices are counted, not seconds.
"""

from datetime import timedelta
from typing import Any

import pytest

from connections.models import Connection
from ingestion.clock import database_now
from ingestion.models import UNFINISHED, QuotaClaim, State, Sync
from ingestion.services import schedule
from ingestion.services.syncs import start_sync
from ingestion.tasks import run_slice
from tenants import access
from tenants.actor import Actor
from tests.factories import ConnectionFactory, CredentialFactory, OrganizationFactory
from tests.ingestion.quota.test_ledger import pass_time
from tests.sandbox import Sandbox, Scale

FEW, LIMIT = 5, 100


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=40, pull_requests=60, pipelines=2, people=3)


@pytest.fixture(autouse=True)
def _one_worker(transactional_db: None, sandbox: Sandbox, scale: Scale, settings: Any) -> None:
    """Its slices give way as soon as they look whether somebody waits."""
    settings.SYNC_SLOTS, settings.SYNC_SLICE = 1, 0
    sandbox.reset(scale=scale)
    sandbox.quota.limit = 100_000


def connect(sandbox: Sandbox, token: str) -> Connection:
    organization = OrganizationFactory.create()
    identity = sandbox.world.workspaces["acme"].uuid
    connection: Connection = ConnectionFactory.create(organization=organization, identity=identity)
    CredentialFactory.create(connection=connection, secrets={"api_token": token})
    return connection


def with_few(sandbox: Sandbox, token: str) -> Connection:
    """Of five repositories of the workspace."""
    connection = connect(sandbox, token)
    few = list(sandbox.world.workspaces["acme"].repositories.values())[:FEW]
    ids = [one.uuid for one in few]
    connection.selection = {
        **connection.selection,
        "repositories": {"mode": "chosen", "ids": ids},
    }
    connection.save()
    return connection


def start(connection: Connection, mode: str = "full") -> Sync:
    with access.enter(connection.organization_id):
        return start_sync(connection=connection, trigger="person", mode=mode, by=Actor.system())


def work(sync: Sync | None = None) -> list[int]:
    """Whose slices there were, until this sync came to its end, or nobody may go on."""
    turns = list[int]()
    while sync is None or is_unfinished(sync):
        schedule.tick()
        sent = Sync.objects.filter(state__in=UNFINISHED).exclude(dispatched_at=None)
        if not sent:
            break
        for one in sent.order_by("dispatched_at", "pk"):
            turns.append(one.pk)
            run_slice(one.organization_id, one.pk)
    return turns


def work_alone(sync: Sync) -> None:
    """While others wait, and their messages reach no worker."""
    while is_unfinished(sync):
        run_slice(sync.organization_id, sync.pk)


def is_unfinished(sync: Sync) -> bool:
    return Sync.objects.filter(pk=sync.pk, state__in=UNFINISHED).exists()


def requests_of(sync: Sync) -> int:
    return Sync.objects.get(pk=sync.pk).requests


def test_few_repositories_have_every_other_slice(sandbox: Sandbox) -> None:
    large = start(connect(sandbox, sandbox.tokens.workspace("acme")))
    sandbox.latency = 0.05
    alone, beside = (start(with_few(sandbox, sandbox.tokens.workspace("acme"))) for _ in range(2))
    work_alone(alone)

    turns = work(beside)

    assert is_unfinished(large)
    assert turns.count(large.pk) <= turns.count(beside.pk)
    assert requests_of(beside) <= requests_of(alone) * 1.1  # a page more where it gave way


def test_on_one_window_few_repositories_have_their_share(sandbox: Sandbox, settings: Any) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = LIMIT
    token = sandbox.tokens.workspace("acme")
    large = start(connect(sandbox, token))
    work()
    assert requests_of(large) == LIMIT * 95 // 100  # all that a person may use

    small, windows = start(with_few(sandbox, token)), 0
    work()
    while is_unfinished(small):
        before, windows = requests_of(large), windows + 1
        let_an_hour_pass(sandbox)
        work()
        assert requests_of(large) - before <= LIMIT // 2

    assert requests_of(small) > LIMIT // 2  # alone it takes one window
    assert windows <= 2
    assert is_unfinished(large)
    assert not sandbox.quota.refused


def let_an_hour_pass(sandbox: Sandbox) -> None:
    """All that was booked falls out of the window, and who waits for it goes on."""
    pass_time(2 * 3600)
    sandbox.quota.clear()
    moment = database_now()
    QuotaClaim.objects.update(until=moment + timedelta(minutes=1))
    Sync.objects.filter(state=State.WAITING).update(resume_at=moment)
