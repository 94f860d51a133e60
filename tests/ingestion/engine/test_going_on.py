"""A walk that broke off goes on with the next sync, and what is new arrives all the same."""

from datetime import UTC, datetime

import pytest

from ingestion.models import Coverage, Event, PipelineRun, PullRequest
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale


@pytest.mark.parametrize("scale", [Scale(repositories=2, pull_requests=60, pipelines=120)])
def test_first_walk_that_broke_off_is_a_whole_one_in_the_end(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.connection.selection = {"streams": [], "since": "2020-01-01"}
    copied.connection.save()
    where = r"pullrequests\?|/pipelines\?"
    sandbox.faults.add(where, status=500, after=1, per_path=True)
    copied.sync()
    sandbox.faults.clear()

    copied.sync()

    coverage = {one.stream: one for one in Coverage.objects.filter(repository__slug="api")}
    assert coverage["pull_requests"].covered_from == datetime(2020, 1, 1, tzinfo=UTC)
    assert coverage["pull_requests"].rows >= 60
    assert coverage["pipelines"].rows >= 120


def test_feed_that_goes_on_brings_also_what_is_new(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"pullrequests/activity", status=500, after=1, per_path=True)
    copied.sync()
    sandbox.faults.clear()
    sandbox.clock.advance(3 * 3600)
    sandbox.change.approve("acme", "api", 5, person="ada")

    copied.sync()

    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[5]
    row = PullRequest.objects.get(repository__slug="api", number=5)
    assert Event.objects.filter(pull_request=row).count() == len(there.activity)
    assert row.activity_done_for == row.due_for


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=1, pipelines=250)])
def test_pipelines_that_go_on_bring_also_what_is_new(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/pipelines\?", status=500, after=1)
    copied.sync()
    sandbox.faults.clear()
    sandbox.clock.advance(3 * 3600)
    sandbox.change.new_pipeline("acme", "api")

    copied.sync()

    assert PipelineRun.objects.count() == 251
    assert not Coverage.objects.exclude(checkpoint=None).exists()


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=1, pipelines=600)])
def test_pipelines_that_go_on_stop_at_what_was_read_before(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync(streams=["pipelines"])
    sandbox.clock.advance(3600)
    for _ in range(130):
        sandbox.change.new_pipeline("acme", "api")
    sandbox.faults.add(r"/pipelines\?", status=500, after=1)
    copied.sync(streams=["pipelines"])
    sandbox.faults.clear()
    asked = sandbox.count(r"/pipelines")

    copied.sync(streams=["pipelines"])

    assert PipelineRun.objects.count() == 730
    # The rest of the new, what is known (twice where both came in one batch), the top.
    assert sandbox.count(r"/pipelines") - asked <= 4


@pytest.mark.parametrize("status", [None, 500])
def test_a_stream_that_is_read_less_often_counts_from_when_it_was_read_well(
    copied: Copied, sandbox: Sandbox, status: int | None
) -> None:
    if status:
        sandbox.faults.add(r"/members", status=status)

    sync = copied.sync()

    copied.connection.refresh_from_db()
    read = {} if status else {"people": sync.created_at.isoformat()}
    assert copied.connection.streams_read == read
