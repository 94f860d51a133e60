"""The steps of pipelines: a request for each finished run, and none where nothing is due."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import Coverage, PipelineRun, State, Step, Sync
from ingestion.models.builds import STEPS_DUE
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale
from tests.sandbox.world import Repository

STREAM = ["pipeline_steps"]


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=0, pipelines=8, people=3)


@pytest.fixture
def copied(connect: Callable[..., Copied]) -> Copied:
    return connect().choose("pipelines", "pipeline_steps")


@pytest.fixture
def synced(copied: Copied) -> Copied:
    copied.sync(streams=STREAM)
    return copied


def asked(sandbox: Sandbox) -> int:
    """How often steps were asked for."""
    return sandbox.count("/steps")


def test_every_finished_run_brings_its_steps(copied: Copied, sandbox: Sandbox) -> None:
    sync = copied.sync(streams=STREAM)

    assert sync.state == State.SUCCEEDED, sync.error
    assert sync.streams == ["repositories", "pipelines", "pipeline_steps"]
    finished = PipelineRun.objects.exclude(completed_on=None)
    assert asked(sandbox) == finished.count() == 6
    for here in finished:
        there = sandbox.world.workspaces["acme"].repositories["api"].pipelines[here.uuid]
        told = here.steps.order_by("started_on").values_list("uuid", "name", "result", "run_number")
        assert list(told) == [(s.uuid, s.name, s.result, s.run_number) for s in there.steps]
    assert Step.objects.count() == 12
    coverage = {row.stream: row for row in Coverage.objects.exclude(repository=None)}
    assert coverage["pipeline_steps"].complete_as_of == coverage["pipelines"].complete_as_of


def test_runs_of_a_batch_are_marked_by_one_statement(copied: Copied) -> None:
    with CaptureQueriesContext(connection) as captured:
        copied.sync(streams=STREAM)

    statements = "\n".join(query["sql"] for query in captured.captured_queries)
    marked = [batch.count('SET "steps_done_run"') for batch in statements.split("COMMIT")]
    assert set(marked) == {0, 1}
    assert not PipelineRun.objects.filter(STEPS_DUE).exists()


def test_steps_are_asked_for_once(synced: Copied, sandbox: Sandbox) -> None:
    before = asked(sandbox)

    sync = synced.sync(streams=STREAM)

    assert sync.state == State.SUCCEEDED
    assert asked(sandbox) == before


def test_steps_come_when_the_run_ends(synced: Copied, sandbox: Sandbox) -> None:
    run = sandbox.change.new_pipeline("acme", "api")
    synced.sync(streams=STREAM)
    assert not Step.objects.filter(run__uuid=run.uuid).exists()
    sandbox.change.finish_pipeline("acme", "api", run.uuid)

    synced.sync(streams=STREAM)

    assert Step.objects.filter(run__uuid=run.uuid).count() == 2


def test_run_that_ran_again_is_read_again(synced: Copied, sandbox: Sandbox) -> None:
    before = asked(sandbox)
    run = sandbox.change.rerun_pipeline("acme", "api", 5)

    sync = synced.sync(streams=STREAM)

    assert asked(sandbox) == before + 1
    kept = Step.objects.filter(run__number=5, removed_at=None)
    assert set(kept.values_list("uuid", "run_number")) == {(s.uuid, 2) for s in run.steps}
    assert Step.objects.filter(run__number=5).exclude(removed_at=None).count() == 2
    assert sync.stream_runs.get(stream="pipeline_steps", repository=None).removed == 2


def test_full_sync_reads_all_steps_again(synced: Copied, sandbox: Sandbox) -> None:
    before, rows = asked(sandbox), all_rows()

    synced.sync(mode="full", streams=STREAM)

    assert asked(sandbox) == before + 6
    assert all_rows() == rows


def test_steps_that_are_not_shown_are_asked_for_again(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add("/steps", status=404, times=1)

    first = copied.sync(streams=STREAM)
    second = copied.sync(streams=STREAM)

    assert (first.state, second.state) == (State.PARTIAL, State.SUCCEEDED)
    assert first.error
    assert "too few steps of its runs (1: #7)" in first.error["message"]
    assert Step.objects.count() == 12
    assert asked(sandbox) == 7


def test_where_no_steps_are_shown_few_are_asked_for(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add("/steps", status=404)

    sync = copied.sync(streams=STREAM)

    runs = {run.stream: run for run in sync.stream_runs.filter(repository=None)}
    assert runs["pipelines"].state == State.SUCCEEDED
    assert runs["pipeline_steps"].state == State.FAILED
    assert asked(sandbox) == 3


def test_run_that_is_gone_is_not_asked_for_again(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    PipelineRun.objects.update(steps_done_for=None)
    sandbox.change.delete_pipeline("acme", "api", 1)
    before = asked(sandbox)

    assert synced.sync(streams=STREAM).state == State.SUCCEEDED
    assert synced.sync(streams=STREAM).state == State.SUCCEEDED

    assert asked(sandbox) == before + 6
    assert Step.objects.filter(run__number=1, removed_at=None).count() == 2


def test_steps_that_are_listed_no_more_stay(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.rerun_pipeline("acme", "api", 5)
    sandbox.change.lose_steps("acme", "api", 5)

    sync = synced.sync(streams=STREAM)

    assert sync.state == State.PARTIAL
    assert Step.objects.filter(run__number=5, removed_at=None).count() == 2


def test_nothing_is_asked_outside_of_the_history_window(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["pipelines"])
    run = PipelineRun.objects.get(number=6)
    copied.connection.selection["since"] = f"{run.created_on:%Y-%m-%d}"
    copied.connection.save()

    assert copied.sync(streams=STREAM).state == State.SUCCEEDED

    assert set(Step.objects.values_list("run__number", flat=True)) == {6, 7}


def test_run_that_ends_again_while_its_steps_are_read_stays_due(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync(streams=["pipelines"])
    sandbox.faults.add("/steps", status=500, after=3)
    copied.sync(streams=STREAM)
    assert PipelineRun.objects.exclude(steps_done_for=None).count() == 3
    sandbox.faults.clear()
    before = asked(sandbox)

    copied.sync(streams=STREAM)

    assert asked(sandbox) == before + 3
    assert Step.objects.count() == 12


def test_missing_scope_stops_pipelines_and_their_steps(
    connect: Callable[..., Copied], sandbox: Sandbox
) -> None:
    sync: Sync = connect(scopes=["repository", "account"]).choose(*STREAM).sync()

    states = dict(sync.stream_runs.filter(repository=None).values_list("stream", "state"))
    assert states["pipelines"] == states["pipeline_steps"] == State.FAILED
    assert asked(sandbox) == 0


def test_steps_are_not_read_unless_they_are_chosen(
    connect: Callable[..., Copied], sandbox: Sandbox
) -> None:
    sync = connect().sync()

    assert "pipeline_steps" not in sync.streams
    assert asked(sandbox) == 0
