"""A secret is exchanged while a sync runs: nothing fails, and nothing is missing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database

from connections.models import Credential
from connections.services import rotation
from ingestion.models import PullRequest, State, Sync
from tenants import access
from tenants.actor import Actor
from tests.factories import MembershipFactory
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=4, pull_requests=20, pipelines=4, people=3)


@pytest.fixture
def during(copied: Copied, sandbox: Sandbox) -> Callable[[Callable[[], object]], Sync]:
    """A whole sync, with something done in the middle of it."""

    def run(do: Callable[[], object]) -> Sync:
        def sync() -> Sync:
            try:
                with access.enter(copied.connection.organization_id):
                    return copied.sync()
            finally:
                database.close()

        before = len(sandbox.requests)
        sandbox.latency = 0.1
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(sync)
            deadline = time.monotonic() + 20
            while len(sandbox.requests) < before + 8 and time.monotonic() < deadline:
                time.sleep(0.01)
            with sandbox.holding(copied.token):
                do()
                assert not running.done()
            sandbox.latency = 0
            return running.result(timeout=60)

    return run


@pytest.mark.parametrize("is_revoked_at_once", [False, True])
def test_a_secret_is_rotated_while_a_sync_runs(
    copied: Copied,
    sandbox: Sandbox,
    during: Callable[[Callable[[], object]], Sync],
    is_revoked_at_once: bool,
) -> None:
    new = sandbox.tokens.workspace("acme", label="new")
    owner = MembershipFactory.create(organization=copied.connection.organization).user

    def rotate() -> None:
        credential = Credential.objects.get(pk=copied.credential.pk)
        draft = rotation.begin_rotation(
            credential=credential,
            settings={},
            secrets={"api_token": new},
            by=owner,
            actor=Actor.for_user(owner),
        )
        rotation.take_over(draft=draft, actor=Actor.system())
        if is_revoked_at_once:
            sandbox.change.revoke(copied.token)

    sync = during(rotate)
    if not is_revoked_at_once:  # the old one is retired after the sync, and not before
        sandbox.change.revoke(copied.token)

    assert sync.state == State.SUCCEEDED
    assert PullRequest.objects.count() == 80
    failed = [one for one in sandbox.requests if one.status >= 400]
    assert {one.status for one in failed} <= ({401} if is_revoked_at_once else set())
    read = all_rows()
    again = copied.sync()
    assert again.state == State.SUCCEEDED
    assert all_rows() == read
    copied.credential.refresh_from_db()
    assert copied.credential.status == Credential.Status.ACTIVE
