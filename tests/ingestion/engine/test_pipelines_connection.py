"""A Pipelines connection reads its streams in its parent's stead; nothing is lost or doubled."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from connections.models import Connection
from connections.services.connections import delete_connection
from connections.services.creating import create_connection
from connections.services.entering import NewCredential
from ingestion import engine
from ingestion.models import (
    Coverage,
    Deployment,
    Person,
    PipelineRun,
    RejectedRow,
    Repository,
    State,
    Step,
    Sync,
)
from tenants.actor import Actor
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale

SYSTEM = Actor.system()
TAKEN = ["pipelines", "pipeline_steps", "deployments"]
MOVED = (PipelineRun, Step, Deployment)


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=2, pipelines=6, people=4, deployments=2)


@pytest.fixture
def parent(connect: Callable[..., Copied]) -> Copied:
    return connect()


def beneath(parent: Copied, sandbox: Sandbox, name: str = "Pipelines") -> Copied:
    """A Pipelines connection with a token of its own."""
    token = sandbox.tokens.workspace("acme", ["repository", "pipeline"])
    created = create_connection(
        organization=parent.connection.organization,
        connector="bitbucket_pipelines",
        name=name,
        settings={},
        parent_id=parent.connection.pk,
        credential=NewCredential(secrets={"api_token": token}),
        by=SYSTEM,
    )
    assert created.connection
    assert created.credential
    parent.connection.refresh_from_db()
    return Copied(created.connection, created.credential, token)


def owners() -> set[int]:
    """The connections to which rows of pipelines belong."""
    return {pk for model in MOVED for pk in model.objects.values_list("connection", flat=True)}


def test_it_reads_its_streams_in_the_repositories_of_its_parent(
    parent: Copied, sandbox: Sandbox
) -> None:
    child = beneath(parent, sandbox)
    first = parent.sync()
    runs_of_parent = PipelineRun.objects.count()

    sync = child.sync()

    assert first.state == sync.state == State.SUCCEEDED, sync.error
    assert runs_of_parent == 0
    assert sync.streams == TAKEN
    assert PipelineRun.objects.count() == 12
    assert Step.objects.count() == 16
    assert Deployment.objects.count() == 4
    assert owners() == {child.connection.pk}
    assert set(Repository.objects.values_list("connection", flat=True)) == {parent.connection.pk}
    assert set(Person.objects.values_list("connection", flat=True)) == {parent.connection.pk}
    streams = Coverage.objects.filter(connection=child.connection).values_list("stream", flat=True)
    assert set(streams) == set(TAKEN)


def test_it_uses_its_own_token_and_asks_for_no_repositories(
    parent: Copied, sandbox: Sandbox
) -> None:
    parent.sync()
    child = beneath(parent, sandbox)
    begun = len(sandbox.requests)

    child.sync()

    asked = sandbox.requests[begun:]
    assert {one.token for one in asked} == {sandbox.tokens.find(child.token).label}
    below = ("/pipelines", "/deployments", "/environments")
    assert all(any(part in request.path for part in below) for request in asked)


def test_rows_that_are_here_are_handed_over_and_not_read_again(
    parent: Copied, sandbox: Sandbox
) -> None:
    parent.choose("pull_requests", *TAKEN)
    parent.sync()
    before = all_rows()
    child = beneath(parent, sandbox)
    asked = sandbox.count("/steps")

    sync = child.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert all_rows() == before
    assert owners() == {child.connection.pk}
    assert sync.counts["created"] == sync.counts["updated"] == 0
    assert sandbox.count("/steps") == asked


def test_rows_are_given_back_when_it_is_deleted(parent: Copied, sandbox: Sandbox) -> None:
    parent.sync()
    child = beneath(parent, sandbox)
    child.sync()
    before = all_rows()
    sandbox.change.new_pipeline("acme", "api")
    delete_connection(connection=child.connection, by=SYSTEM)
    parent.connection.refresh_from_db()

    sync = parent.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert "pipelines" in sync.streams
    assert owners() == {parent.connection.pk}
    assert len(all_rows()["PipelineRun"]) == len(before["PipelineRun"]) + 1
    assert not Coverage.objects.filter(connection=child.connection).exists()


def test_sync_of_the_parent_that_copies_them_begins_anew_without(
    parent: Copied, sandbox: Sandbox
) -> None:
    running = parent.start()
    assert "pipelines" in running.streams

    child = beneath(parent, sandbox)

    running.refresh_from_db()
    assert running.state == State.CANCELLED
    anew = Sync.objects.get(connection=parent.connection, state=State.QUEUED)
    assert not set(TAKEN) & set(anew.streams)
    assert engine.run_to_end(anew.pk).state == State.SUCCEEDED
    assert child.sync().state == State.SUCCEEDED
    assert owners() == {child.connection.pk}


def test_without_repositories_it_waits_for_its_parent(parent: Copied, sandbox: Sandbox) -> None:
    child = beneath(parent, sandbox)

    early = child.sync()
    parent.sync()
    late = child.sync()

    assert (early.state, late.state) == (State.PARTIAL, State.SUCCEEDED)
    assert early.error
    assert "has no repositories yet" in early.error["message"]


def test_what_its_parent_leaves_out_it_leaves_out(parent: Copied, sandbox: Sandbox) -> None:
    parent.choose("people").sync()
    Repository.objects.filter(slug="web").update(is_selected=False)
    child = beneath(parent, sandbox)

    child.sync()

    assert set(PipelineRun.objects.values_list("repository__slug", flat=True)) == {"api"}


def test_repository_that_its_token_does_not_see_is_named(parent: Copied, sandbox: Sandbox) -> None:
    parent.choose("people").sync()
    child = beneath(parent, sandbox)
    scopes = ["repository", "pipeline"]
    child.credential.secrets = {"api_token": sandbox.tokens.repository("acme", "api", scopes)}
    child.credential.settings = {"repository": "api"}
    child.credential.save()

    sync = child.sync()

    assert sync.state == State.PARTIAL
    assert set(PipelineRun.objects.values_list("repository__slug", flat=True)) == {"api"}
    failed = sync.stream_runs.exclude(repository=None).exclude(error=None)
    assert {row.repository.slug for row in failed if row.repository} == {"web"}


def test_a_paused_one_keeps_its_streams(parent: Copied, sandbox: Sandbox) -> None:
    parent.sync()
    child = beneath(parent, sandbox)
    Connection.objects.filter(pk=child.connection.pk).update(status="disabled")

    sync = parent.sync()

    assert not set(TAKEN) & set(sync.streams)


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=2, pipelines=120, people=4)])
def test_a_run_that_could_not_be_kept_is_asked_for_by_whoever_copies_it_then(
    copied: Copied, sandbox: Sandbox
) -> None:
    api = sandbox.world.workspaces["acme"].repositories["api"]
    oldest = min(api.pipelines.values(), key=lambda one: one.created_on)
    number, oldest.build_number = oldest.build_number, "12a"
    assert copied.sync().state == State.PARTIAL
    assert Coverage.objects.get(stream="pipelines").gap["code"] == "rejected_rows"
    child = beneath(copied, sandbox)
    child.sync()
    gap = Coverage.objects.get(stream="pipelines").gap
    oldest.build_number = number
    sandbox.site.changed()
    RejectedRow.objects.update(created_at=F("created_at") - timedelta(hours=25))
    child.sync()

    assert PipelineRun.objects.filter(uuid=oldest.uuid).exists(), f"gap before: {gap}"


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=2, pipelines=6, people=4)])
def test_a_step_that_could_not_be_kept_is_asked_for_by_whoever_copies_it_then(
    parent: Copied, sandbox: Sandbox
) -> None:
    runs = sandbox.world.workspaces["acme"].repositories["api"].pipelines.values()
    step = next(run.steps[0] for run in runs if run.completed_on and run.steps)
    number, step.run_number = step.run_number, "12a"  # type: ignore[assignment]
    assert parent.choose(*EVERYTHING).sync().state == State.PARTIAL
    child = beneath(parent, sandbox)
    step.run_number = number
    sandbox.site.changed()

    assert child.sync().state == State.SUCCEEDED

    assert Step.objects.filter(uuid=step.uuid).exists()
    assert not Coverage.objects.exclude(gap=None).exists()
