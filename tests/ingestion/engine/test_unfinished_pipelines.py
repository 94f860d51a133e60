"""Runs that go on below the pages that are read are asked for at three ages, and never again."""

from datetime import timedelta

import pytest
from django.db.models import F

from ingestion.engine.visits.pipelines import AGES
from ingestion.models import Coverage, PipelineRun, State
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale

HOUR, DAY, WEEK = AGES
HALTED = (3, 28)  # below the first hundred of 130


def world(age: timedelta) -> Scale:
    """A repository with two pages of runs, begun within twice the age."""
    return Scale(repositories=1, pull_requests=0, pipelines=130, days=2 * age / DAY)  # type: ignore[arg-type]


def let_come_of_age(age: timedelta) -> None:
    """As if the sync before had ended just before the first of them came of this age."""
    first = PipelineRun.objects.get(number=HALTED[0]).created_on
    Coverage.objects.filter(stream="pipelines").update(
        came_of_age_until=first + age - timedelta(seconds=1)
    )


def asked(sandbox: Sandbox, since: int) -> int:
    """How often single runs were asked for."""
    return sum("/pipelines/" in request.path for request in sandbox.requests[since:])


@pytest.mark.parametrize(
    ("scale", "age"), [(world(age), age) for age in AGES], ids=["hour", "day", "week"]
)
def test_run_that_goes_on_is_asked_for_once_at_each_age(
    copied: Copied, sandbox: Sandbox, age: timedelta
) -> None:
    copied.sync(streams=["pipelines"])
    runs = PipelineRun.objects.filter(number__in=HALTED)
    assert list(runs.values_list("completed_on", flat=True)) == [None, None]
    sandbox.change.finish_pipeline("acme", "api", 3)
    begun = len(sandbox.requests)
    assert copied.sync(streams=["pipelines"]).state == State.SUCCEEDED
    assert asked(sandbox, begun) == 0
    let_come_of_age(age)

    sync = copied.sync(streams=["pipelines"])

    assert sync.state == State.SUCCEEDED, sync.error
    assert asked(sandbox, begun) == len(HALTED)
    assert PipelineRun.objects.get(number=3).completed_on
    assert PipelineRun.objects.get(number=28).completed_on is None
    assert sync.requests == 2 + len(HALTED)
    copied.sync(streams=["pipelines"])
    assert asked(sandbox, begun) == len(HALTED)


@pytest.mark.parametrize("scale", [world(4 * WEEK)])
def test_run_that_stays_halted_is_left_alone(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["pipelines"])
    begun = len(sandbox.requests)
    Coverage.objects.update(came_of_age_until=F("came_of_age_until") - 2 * WEEK)

    assert copied.sync(streams=["pipelines"]).state == State.SUCCEEDED

    assert PipelineRun.objects.get(number=3).completed_on is None
    assert asked(sandbox, begun) == 0


@pytest.mark.parametrize("scale", [world(HOUR)])
def test_run_that_cannot_be_asked_for_is_asked_for_by_the_next_sync(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync(streams=["pipelines"])
    sandbox.change.finish_pipeline("acme", "api", 3)
    let_come_of_age(HOUR)
    sandbox.faults.add(r"/pipelines/", status=500)
    assert copied.sync(streams=["pipelines"]).state == State.PARTIAL
    sandbox.faults.clear()

    assert copied.sync(streams=["pipelines"]).state == State.SUCCEEDED

    assert PipelineRun.objects.get(number=3).completed_on


@pytest.mark.parametrize("scale", [world(HOUR)])
def test_run_that_is_gone_stops_nothing(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["pipelines"])
    there = sandbox.world.workspaces["acme"].repositories["api"].pipelines
    del there[PipelineRun.objects.get(number=3).uuid]
    sandbox.change.finish_pipeline("acme", "api", 28)
    let_come_of_age(HOUR)

    assert copied.sync(streams=["pipelines"]).state == State.SUCCEEDED

    assert PipelineRun.objects.get(number=28).completed_on
