"""Pauses for Bitbucket's trouble come to an end, whatever else goes well meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from ingestion import engine
from ingestion.models import Coverage, PullRequest, State, StreamRun
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_unfinished_pipelines import HOUR, let_come_of_age, world
from tests.sandbox import Sandbox, Scale

GIVEN_UP = [State.WAITING, State.WAITING, State.WAITING, State.PARTIAL]
OPEN = r"/pullrequests\?.*OPEN.*sort=id"


@pytest.fixture(autouse=True)
def _three_retries(settings: Any) -> None:
    settings.SYNC_RETRY_DELAYS = [0, 0, 0]


def states_of(copied: Copied, streams: list[str]) -> list[State | None]:
    """The states in which the slices of a sync ended, of which there are not too many."""
    sync = copied.start(streams=streams)
    found = [engine.run_slice(sync.pk)]
    while found[-1] == State.WAITING and len(found) < 8:
        found.append(engine.run_slice(sync.pk))
    return found


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=5, pipelines=0)])
@pytest.mark.parametrize(
    ("times", "states"),
    [(2, [State.WAITING, State.WAITING, State.SUCCEEDED]), (None, GIVEN_UP)],
)
def test_open_pull_requests_that_fail_are_read_in_the_same_sync(
    copied: Copied, sandbox: Sandbox, times: int | None, states: list[State]
) -> None:
    copied.sync()
    Coverage.objects.update(looked_back_at=F("looked_back_at") - timedelta(days=2))
    sandbox.faults.add(OPEN, status=500, times=times)

    assert states_of(copied, ["pull_requests"]) == states

    errors = StreamRun.objects.filter(sync__state=State.SUCCEEDED).exclude(error=None)
    assert not errors.exists()


@pytest.mark.parametrize("scale", [world(HOUR)])
def test_single_run_that_fails_for_good_ends_the_sync(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["pipelines"])
    let_come_of_age(HOUR)
    sandbox.faults.add(r"/pipelines/(%7B|\{)", status=500)

    assert states_of(copied, ["pipelines"]) == GIVEN_UP


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=60, pipelines=0)])
def test_single_history_that_fails_for_good_ends_the_sync(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/pullrequests/activity", kind="short_page")
    sandbox.faults.add(r"/pullrequests/1/activity", status=500)

    assert states_of(copied, ["pull_request_activity"]) == GIVEN_UP


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=120, pipelines=0)])
def test_single_list_of_comments_that_fails_for_good_ends_the_sync(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    said = PullRequest.objects.filter(comment_count__gt=0).order_by("pk")
    numbers = list(said.values_list("number", flat=True))
    for number in numbers:
        sandbox.change.pull_request("acme", "api", number, title="Another title")
    sandbox.faults.add(rf"/pullrequests/{numbers[-1]}/comments", status=500)
    sandbox.faults.add(r"/pullrequests/\d+/comments", kind="empty_page")

    assert len(numbers) > 50
    assert states_of(copied, ["pull_request_comments"]) == GIVEN_UP
