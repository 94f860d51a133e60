"""Deployments: a full listing each time, which the schedule asks for once a day."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now

from ingestion import engine
from ingestion.models import Coverage, Deployment, PipelineRun, State, Sync
from ingestion.selectors.freshness import freshness_of
from ingestion.services.syncs import start_sync
from tenants.actor import Actor
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


@pytest.fixture
def api(sandbox: Sandbox, copied: Copied) -> Repository:
    """The repository as Bitbucket has it."""
    return sandbox.world.workspaces["acme"].repositories["api"]


def by_schedule(copied: Copied) -> Sync:
    """A sync that nobody asked for."""
    by, trigger = Actor.system(), Sync.Trigger.SCHEDULE
    return engine.run_to_end(start_sync(connection=copied.connection, trigger=trigger, by=by).pk)


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


def test_schedule_reads_them_once_a_day(synced: Copied, sandbox: Sandbox) -> None:
    asked = sandbox.count("/deployments")
    soon = by_schedule(synced)
    soon_asked = sandbox.count("/deployments")
    Coverage.objects.update(looked_back_at=now() - timedelta(hours=23, minutes=1))
    late = by_schedule(synced)

    assert (soon.state, late.state) == (State.SUCCEEDED, State.SUCCEEDED)
    assert soon_asked == asked
    assert sandbox.count("/deployments") == asked + 1


def test_schedule_reads_again_what_could_not_be_read(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add("/deployments", status=500, times=1)
    assert copied.sync().state == State.PARTIAL

    assert by_schedule(copied).state == State.SUCCEEDED

    assert Deployment.objects.count() == 4


@pytest.mark.parametrize(("hours", "is_fresh"), [(30, True), (47, False)])
def test_connection_stays_fresh_while_they_keep_to_their_day(
    synced: Copied, hours: int, is_fresh: bool
) -> None:
    synced.connection.schedule = {"kind": "every", "minutes": 60}
    synced.connection.refresh_from_db(fields=["last_synced_at"])
    Coverage.objects.filter(stream="deployments").update(
        complete_as_of=now() - timedelta(hours=hours)
    )

    found = freshness_of([synced.connection])[synced.connection.pk]

    assert found.is_fresh is is_fresh
