"""The history window: what it takes in, and what is walked when it is widened or narrowed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from ingestion import engine
from ingestion.models import Comment, Coverage, Event, PipelineRun, PullRequest, State, Sync
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.ingestion.engine.test_interruptions import Killed, killed_at
from tests.sandbox import Sandbox, Scale
from tests.sandbox import world as there

DAYS = 180
LoseLease = Callable[[Sync], None]


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=130, pipelines=430, people=12, days=DAYS)


@pytest.fixture
def window(copied: Copied, sandbox: Sandbox) -> Callable[[int | None], date | None]:
    """Sets the window to so many days, or to everything."""

    def begin(days: int | None) -> date | None:
        day = None if days is None else (sandbox.clock.now() - timedelta(days=days)).date()
        since = day.isoformat() if day else None
        copied.connection.selection = {**copied.connection.selection, "since": since}
        copied.connection.save()
        return day

    return begin


def missing(sandbox: Sandbox, day: date | None) -> dict[str, set[object]]:
    """What the sandbox has inside of the window and the tables lack."""
    repository = sandbox.world.workspaces["acme"].repositories["api"]
    begin = (
        datetime.combine(day, datetime.min.time(), UTC) if day else datetime.min.replace(tzinfo=UTC)
    )
    inside = [one for one in repository.pull_requests.values() if one.updated_on >= begin]
    entries = [entry for one in inside for entry in one.activity if not _vanished(entry)]
    comments = {said.id for one in inside for said in one.comments if not said.vanished}
    return {
        "pull requests": {one.id for one in inside}
        - set(PullRequest.objects.values_list("number", flat=True)),
        "events": {(entry.pull_request.id, entry.date) for entry in entries}
        - set(Event.objects.values_list("pull_request__number", "happened_at")),
        "comments": comments - set(Comment.objects.values_list("number", flat=True)),
        "pipelines": {run.uuid for run in repository.pipelines.values() if run.created_on >= begin}
        - set(PipelineRun.objects.values_list("uuid", flat=True)),
    }


def _vanished(entry: "there.Activity") -> bool:
    return entry.comment is not None and entry.comment.vanished


NOTHING: dict[str, set[object]] = {
    "pull requests": set(),
    "events": set(),
    "comments": set(),
    "pipelines": set(),
}


@pytest.mark.parametrize("days", [30, 90])
def test_window_is_whole_and_takes_in_nothing_older(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date], days: int
) -> None:
    day = window(days)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert missing(sandbox, day) == NOTHING
    assert not PullRequest.objects.filter(updated_on__date__lt=day).exists()
    assert not PullRequest.objects.exclude(activity_done_for__isnull=False).exists()
    covered = Coverage.objects.exclude(repository=None).filter(covered_from=None)
    assert set(covered.values_list("stream", flat=True)) == {"pull_request_comments"}


@pytest.mark.parametrize("wider", [120, None])
def test_widened_window_walks_only_what_was_left_out(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date], wider: int | None
) -> None:
    window(60)
    copied.sync()
    day, begun = window(wider), len(sandbox.requests)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert missing(sandbox, day) == NOTHING
    asked = [one.path for one in sandbox.requests[begun:]]
    pages = [path for path in asked if "/pullrequests?" in path and "OPEN%22&" not in path]
    assert all("updated_on" in path for path in pages)
    assert "page=1&" not in "".join(path for path in asked if "/pipelines?" in path)[60:]
    again = len(sandbox.requests)
    copied.sync()
    assert len(sandbox.requests) - again <= 6


def test_widening_that_is_killed_at_every_batch_leaves_no_hole(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date], lose_lease: LoseLease
) -> None:
    window(60)
    copied.sync()
    day, deaths = window(None), 0
    sync = copied.start()
    while sync.state not in (State.SUCCEEDED, State.PARTIAL, State.FAILED):
        with killed_at(5 + deaths % 3):
            try:
                engine.run_slice(sync.pk)
            except Killed:
                deaths += 1
        sync.refresh_from_db()
        lose_lease(sync)
        assert deaths < 200

    assert deaths  # batches grow where the database is slow
    assert sync.state == State.SUCCEEDED
    assert missing(sandbox, day) == NOTHING
    rows = Coverage.objects.exclude(repository=None)
    assert not rows.exclude(covered_from=None).exists()
    assert not rows.exclude(checkpoint=None).exists()


def test_window_that_is_widened_while_it_is_read_has_no_hole(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date]
) -> None:
    window(90)
    sandbox.faults.add(r"pullrequests\?|activity|/pipelines\?", status=500, after=1, per_path=True)
    copied.sync()
    sandbox.faults.clear()
    day = window(170)
    sandbox.faults.add(r"pullrequests\?|/pipelines\?", status=500, after=2, per_path=True)
    copied.sync()
    sandbox.faults.clear()

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert missing(sandbox, day) == NOTHING


def test_narrowed_window_keeps_what_is_here_and_is_widened_again_for_nothing(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date]
) -> None:
    window(None)
    copied.sync()
    here = all_rows()
    window(30)
    states = [copied.sync(mode).state for mode in ("incremental", "full")]
    window(None)
    begun = len(sandbox.requests)

    states.append(copied.sync().state)

    assert set(states) == {State.SUCCEEDED}
    assert all_rows() == here
    assert len(sandbox.requests) - begun <= 5


@pytest.mark.parametrize("shown", [True, False])
def test_pull_request_that_comes_into_the_window_brings_its_whole_history(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date], shown: bool
) -> None:
    """Also where the feed, which is asked on the way, is refused."""
    window(30)
    copied.sync()
    old = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[3]
    sandbox.clock.advance(3600)
    sandbox.change.comment("acme", "api", 3, raw="Still wanted?")
    if not shown:
        sandbox.faults.add(r"pullrequests/activity", status=403)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    events = Event.objects.filter(pull_request__number=3)
    assert events.count() == len([one for one in old.activity if not _vanished(one)]) > 1
    row = PullRequest.objects.get(number=3)
    assert row.activity_done_for == row.due_for


def test_widened_window_is_whole_though_the_feeds_cursor_has_died(
    copied: Copied, sandbox: Sandbox, window: Callable[[int | None], date]
) -> None:
    window(60)
    copied.sync()
    sandbox.change.expire_cursors()
    day = window(120)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert missing(sandbox, day) == NOTHING
