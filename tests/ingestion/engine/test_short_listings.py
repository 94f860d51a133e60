"""A listing that is empty or ends too early loses, withdraws and passes by nothing."""

from typing import Any

import pytest
from django.db.models import F

from ingestion.models import (
    Coverage,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Repository,
    State,
    Sync,
)
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale

ENDS = ["empty_page", "no_values", "short_page"]
LARGE = Scale(repositories=1, pull_requests=130, pipelines=250, people=150, same_instant=60)


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=20, pipelines=8, people=12)


def undone() -> int:
    """How many pull requests' histories are due."""
    return PullRequest.objects.exclude(activity_done_for=F("due_for")).count()


def error_of(sync: Sync, stream: str) -> dict[str, Any]:
    error = sync.stream_runs.get(stream=stream, repository=None).error
    assert error
    return error


@pytest.mark.parametrize("scale", [LARGE])
@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize(
    ("where", "stream"),
    [
        (r"/pullrequests\?", "pull_requests"),
        (r"/pipelines\?", "pipelines"),
        (r"/members", "people"),
    ],
)
def test_listing_that_ends_in_the_middle_is_incomplete_until_it_is_whole(
    copied: Copied, sandbox: Sandbox, where: str, stream: str, kind: str
) -> None:
    fault = sandbox.faults.add(where, kind=kind, after=1)

    sync = copied.sync(streams=[stream])

    assert fault.hits
    assert sync.state == State.PARTIAL
    assert error_of(sync, stream)["code"] == "unexpected_response"
    sandbox.faults.clear()
    assert copied.sync(streams=[stream]).state == State.SUCCEEDED
    assert {"pull_requests": PullRequest, "pipelines": PipelineRun, "people": Person}[
        stream
    ]._default_manager.count() == {"pull_requests": 130, "pipelines": 250, "people": 150}[stream]


@pytest.mark.parametrize("scale", [LARGE])
@pytest.mark.parametrize("after", [2, 3])
def test_instant_that_fills_pages_is_read_to_its_end_and_on(
    copied: Copied, sandbox: Sandbox, after: int
) -> None:
    sandbox.faults.add(r"/pullrequests\?", kind="empty_page", after=after)

    assert copied.sync(streams=["pull_requests"]).state == State.PARTIAL

    sandbox.faults.clear()
    assert copied.sync(streams=["pull_requests"]).state == State.SUCCEEDED
    assert PullRequest.objects.count() == 130


@pytest.mark.parametrize("scale", [LARGE])
def test_short_listing_is_asked_again_in_the_same_sync(
    copied: Copied, sandbox: Sandbox, settings: Any
) -> None:
    settings.SYNC_RETRY_DELAYS = [0]
    for where in (r"/pullrequests\?", r"/pipelines\?", r"/members"):
        sandbox.faults.add(where, kind="no_values", after=1, times=1)

    sync = copied.sync(streams=["people", "pull_requests", "pipelines"])

    assert sync.state == State.SUCCEEDED, sync.error
    assert PullRequest.objects.count() == 130
    assert PipelineRun.objects.count() == 250
    assert Person.objects.filter(is_member=True).count() == 150


@pytest.mark.parametrize("scale", [LARGE])
def test_members_behind_a_short_page_stay_members(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["people"])
    sandbox.faults.add(r"/members\?.*page=2", kind="empty_page")

    sync = copied.sync(streams=["people"])

    assert sync.state == State.PARTIAL
    assert Person.objects.filter(is_member=True).count() == 150


@pytest.mark.parametrize("scale", [LARGE])
def test_new_pipelines_behind_a_short_page_arrive_later(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["pipelines"])
    for _ in range(130):
        sandbox.change.new_pipeline("acme", "api")
    sandbox.faults.add(r"/pipelines\?.*page=2", kind="no_values")
    assert copied.sync(streams=["pipelines"]).state == State.PARTIAL
    sandbox.faults.clear()

    assert copied.sync(streams=["pipelines"]).state == State.SUCCEEDED

    assert PipelineRun.objects.count() == 380


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=0, pipelines=1030)])
def test_one_short_page_of_pipelines_does_not_read_all_again(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync(streams=["pipelines"])
    sandbox.faults.add(r"/pipelines\?", kind="short_page", times=1)
    assert copied.sync(streams=["pipelines"]).state == State.PARTIAL
    asked = sandbox.count(r"/pipelines")

    assert copied.sync(streams=["pipelines"]).state == State.SUCCEEDED

    assert sandbox.count(r"/pipelines") - asked <= 2


def test_changes_behind_an_empty_answer_arrive_later(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    sandbox.change.pull_request("acme", "api", 4, title="Another title")
    sandbox.clock.advance(3 * 3600)
    sandbox.faults.add(r"/pullrequests\?", kind="empty_page")

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert "is empty and lacks #20" in error_of(sync, "pull_requests")["message"]
    sandbox.faults.clear()
    assert copied.sync().state == State.SUCCEEDED
    assert PullRequest.objects.get(number=4).title == "Another title"


def test_pull_request_that_is_gone_makes_an_empty_answer_true(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    sandbox.world.workspaces["acme"].repositories["api"].pull_requests.pop(20)
    sandbox.site.changed()

    assert copied.sync().state == State.SUCCEEDED


def events() -> list[Any]:
    return all_rows()["Event"]


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=130, pipelines=0)])
@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("times", [1, None])
def test_feed_that_ends_in_the_middle_is_made_good(
    copied: Copied, sandbox: Sandbox, kind: str, times: int | None
) -> None:
    copied.sync()
    whole = events()
    for model in (Coverage, Repository):
        model._default_manager.all().delete()
    sandbox.faults.add(r"/pullrequests/activity", kind=kind, after=2, times=times)
    begun = len(sandbox.requests)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert events() == whole
    assert undone() == 0
    singly = sum(
        "/activity" in r.path and "/pullrequests/activity" not in r.path
        for r in sandbox.requests[begun:]
    )
    assert singly == 0 if times and kind != "short_page" else 0 < singly < 130


def test_empty_feed_of_what_had_events_is_an_error_and_all_stays_due(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    sandbox.change.approve("acme", "api", 3, person="ada")
    for _ in range(120):
        sandbox.change.push("acme", "api", 5)
    sandbox.clock.advance(3 * 3600)
    sandbox.faults.add(r"/pullrequests/activity", kind="empty_page")

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert error_of(sync, "pull_request_activity")["code"] == "no_resources"
    assert undone() == 2
    assert not Event.objects.exclude(withdrawn_at=None).exists()
    sandbox.faults.clear()
    assert copied.sync().state == State.SUCCEEDED
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests
    for number in (3, 5):
        here = Event.objects.filter(pull_request__number=number)
        assert here.count() == len(there[number].activity)


@pytest.mark.parametrize("kind", ["no_values", "short_page"])
def test_new_events_behind_the_end_of_a_feed_are_read_by_themselves(
    copied: Copied, sandbox: Sandbox, kind: str
) -> None:
    copied.sync()
    sandbox.change.approve("acme", "api", 3, person="ada")
    for _ in range(120):
        sandbox.change.push("acme", "api", 5)
    sandbox.faults.add(r"/pullrequests/activity", kind=kind, after=1)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert undone() == 0
    assert not Event.objects.exclude(withdrawn_at=None).exists()
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests
    for number in (3, 5):
        here = Event.objects.filter(pull_request__number=number)
        assert here.count() == len(there[number].activity)
