"""Deployments: a full listing each time, which the schedule asks for once a day."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now

from connections.services.schedules import streams_due
from connections.services.selections import copied_streams
from ingestion.models import Coverage, Deployment, PipelineRun, State
from ingestion.selectors.coverage import coverage_by_stream
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale
from tests.sandbox.world import Repository

STREAM = ["deployments"]


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=0, pipelines=12, people=3, deployments=4)


@pytest.fixture
def copied(connect: Callable[..., Copied]) -> Copied:
    return connect().choose(*STREAM)


@pytest.fixture
def synced(copied: Copied) -> Copied:
    copied.sync()
    return copied


def test_every_deployment_arrives_with_its_environment(copied: Copied, api: Repository) -> None:
    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert sync.streams == ["repositories", "pipelines", "deployments"]
    assert {
        (d.uuid, d.environment, d.environment_type, d.result, d.run_uuid, d.commit)
        for d in Deployment.objects.all()
    } == {
        (d.uuid, e.name, e.kind, d.status, d.pipeline.uuid, d.pipeline.commit_hash)
        for d in api.deployments
        for e in [d.environment]
    }
    one = Deployment.objects.get(number=1)
    assert one.started_on
    assert one.completed_on == one.updated_on
    assert PipelineRun.objects.filter(uuid=one.run_uuid, steps_done_for=None).exists()


def test_environments_that_are_not_shown_leave_no_name(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add("/environments", status=404)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert set(Deployment.objects.values_list("environment", flat=True)) == {""}
    assert not Deployment.objects.filter(environment_uuid="").exists()


def test_what_is_new_arrives_and_what_is_gone_is_marked(synced: Copied, sandbox: Sandbox) -> None:
    made = sandbox.change.deploy("acme", "api", 2)
    sandbox.change.delete_deployment("acme", "api", 1)

    sync = synced.sync()

    row = sync.stream_runs.get(stream="deployments", repository=None)
    assert (row.created, row.removed, row.unchanged) == (1, 1, 3)
    assert Deployment.objects.get(uuid=made.uuid).removed_at is None
    assert Deployment.objects.get(number=1).removed_at


@pytest.mark.parametrize("kind", ["empty_page", "short_page"])
def test_a_list_that_cannot_be_true_removes_nothing(
    synced: Copied, sandbox: Sandbox, kind: str
) -> None:
    sandbox.faults.add("/deployments", kind=kind)

    sync = synced.sync()

    assert sync.state == State.PARTIAL
    assert Deployment.objects.filter(removed_at=None).count() == 4
    assert Coverage.objects.get(stream="deployments").gap


def test_schedule_reads_them_once_a_day(synced: Copied) -> None:
    synced.connection.refresh_from_db()
    soon, late = now() + timedelta(hours=23), now() + timedelta(hours=24)
    copied = copied_streams(synced.connection)

    assert "deployments" not in streams_due(synced.connection, copied, soon)
    assert "deployments" in streams_due(synced.connection, copied, late)


def test_what_could_not_be_read_is_read_by_the_next_sync(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add("/deployments", status=500, times=1)
    assert copied.sync().state == State.PARTIAL
    copied.connection.refresh_from_db()
    assert "deployments" in streams_due(copied.connection, ["deployments"], now())

    assert copied.sync().state == State.SUCCEEDED

    assert Deployment.objects.count() == 4


def test_page_tells_how_complete_they_are_though_they_are_read_less_often(synced: Copied) -> None:
    synced.connection.schedule = {"kind": "every", "minutes": 15}

    found = {row.stream: row for row in coverage_by_stream(synced.connection)}

    assert found["deployments"].complete_as_of
    assert found["deployments"].repositories == 1
