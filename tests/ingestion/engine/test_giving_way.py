"""A slice gives way to another's, or to the hour: what it began comes to its end all the same."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from pytest_django.fixtures import Settings

from ingestion import engine
from ingestion.clock import database_now
from ingestion.engine.pace import FIRST
from ingestion.engine.slice import WALKS
from ingestion.models import Coverage, PipelineRun, Quota, Repository, State, Sync
from tests.factories import ConnectionFactory
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_many_gone import confirm, delete
from tests.ingestion.quota.test_ledger import pass_time
from tests.sandbox import Sandbox, Scale


def somebody_waits(attempt: int = 1) -> None:
    """Another organization's sync could go on; by its first `attempt`, 0, it never had a turn."""
    Sync.objects.create(
        connection=ConnectionFactory.create(), trigger="person", streams=[], attempt=attempt
    )


@pytest.mark.parametrize("scale", [Scale(repositories=250, pull_requests=0, pipelines=0, people=3)])
@pytest.mark.parametrize(("seconds", "attempt"), [(10, 0), (1, 1)])
def test_a_list_without_a_checkpoint_comes_to_its_end_on_a_busy_worker(
    copied: Copied, sandbox: Sandbox, settings: Settings, seconds: int, attempt: int
) -> None:
    settings.SYNC_SLOTS, settings.SYNC_SLICE = 1, seconds
    sandbox.latency = 0.6
    sync = copied.start()
    somebody_waits(attempt)

    ended = Coverage.objects.filter(stream="repositories", ended_by=sync.pk)
    for _ in range(6):  # turns; between them others have theirs
        engine.run_slice(sync.pk)
        if ended.exists():
            break

    asked = sandbox.count(r"^/2.0/repositories/[^/]+$")
    assert ended.exists(), f"{asked} pages were asked for, of 3 that there are"


@pytest.mark.parametrize("scale", [Scale(repositories=40, pull_requests=0, pipelines=0, people=3)])
def test_more_repositories_that_are_gone_than_an_hour_has_requests(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.choose("pull_requests")
    assert copied.sync().state == State.SUCCEEDED
    delete(sandbox, 36)
    assert copied.sync().state == State.PARTIAL
    assert confirm(copied)
    pass_time(2 * 3600)
    Quota.objects.update(limit=30)
    sandbox.quota.limit = 30
    sandbox.quota.clear()
    asked = len(sandbox.requests)
    sync = copied.start()
    for _ in range(6):  # hours
        engine.run_slice(sync.pk)
        sync.refresh_from_db()
        pass_time(2 * 3600)
        sandbox.quota.clear()
        Sync.objects.filter(state=State.WAITING).update(resume_at=database_now())

    gone = Repository.objects.exclude(removed_at=None).count()
    told = f"{gone} of 36 are marked after {len(sandbox.requests) - asked} requests"
    assert sync.state == State.SUCCEEDED, told
    assert gone == 36, told


@pytest.mark.parametrize(
    "scale", [Scale(repositories=1, pull_requests=0, pipelines=200, people=3, days=4)]
)
def test_single_runs_that_go_on_are_asked_for_to_the_end_on_a_busy_worker(
    copied: Copied, sandbox: Sandbox, settings: Settings
) -> None:
    copied.choose("pipelines")
    there = sandbox.world.workspaces["acme"].repositories["api"].pipelines
    for run in there.values():  # each waits for somebody to press a button
        run.completed_on = None
    sandbox.site.changed()
    assert copied.sync().state == State.SUCCEEDED
    first = min(PipelineRun.objects.values_list("created_on", flat=True))
    Coverage.objects.filter(stream="pipelines").update(came_of_age_until=first + timedelta(hours=1))
    settings.SYNC_SLOTS, settings.SYNC_SLICE = 1, 1
    sandbox.latency = 0.05
    asked = len(sandbox.requests)
    sync = copied.start(streams=["pipelines"])
    somebody_waits()
    for _ in range(8):
        engine.run_slice(sync.pk)
    sync.refresh_from_db()

    assert sync.state == State.SUCCEEDED, f"{len(sandbox.requests) - asked} requests"


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=700, pipelines=0, people=6)])
def test_one_passing_error_does_not_use_up_all_retries(
    copied: Copied, sandbox: Sandbox, settings: Settings
) -> None:
    settings.SYNC_RETRY_DELAYS = [0, 0, 0]
    settings.SYNC_SLOTS, settings.SYNC_SLICE = 1, 0
    sandbox.latency = 0.4
    sandbox.faults.add(r"/pullrequests\?", status=500, after=1, times=1)
    sync = copied.start(streams=["pull_requests"])
    somebody_waits()
    told = []
    for _ in range(40):
        engine.run_slice(sync.pk)
        sync.refresh_from_db()
        told.append((sync.state, sync.reason, sync.retry_count))
        if sync.finished_at:
            break

    assert sync.state == State.SUCCEEDED, told


@pytest.mark.parametrize("scale", [Scale(repositories=60, pull_requests=1, pipelines=1, people=3)])
def test_statements_of_a_slice_are_as_many_as_what_it_does(
    copied: Copied, sandbox: Sandbox, settings: Settings
) -> None:
    copied.choose("commits", "pull_requests", "pipelines")
    copied.sync()
    settings.SYNC_SLOTS, settings.SYNC_SLICE = 1, 0
    sandbox.latency = 0.3
    somebody_waits()
    sync = copied.start()
    while not sync.stream_runs.filter(stream="commits", repository=None, total=60).exists():
        engine.run_slice(sync.pk)  # until all are listed
    told: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        told.append(sql)
        return execute(sql, *rest)

    with database.execute_wrapper(note):
        engine.run_slice(sync.pk)

    pushes = [sql for sql in told if 'FROM "ingestion_push"' in sql]
    assert len(pushes) <= WALKS * FIRST  # of those that are to be walked, not of all sixty
