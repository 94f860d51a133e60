"""Where the feed of a repository is refused, the history of each pull request is read by itself."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F, Q

from ingestion import engine
from ingestion.models import Comment, Coverage, Event, Person, PullRequest, Repository, State, Sync
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.ingestion.engine.test_interruptions import Killed, killed_at
from tests.sandbox import Sandbox, Scale

FEED, SINGLE = r"pullrequests/activity", r"pullrequests/\d+/activity"
PULL_REQUESTS = 60


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=PULL_REQUESTS, pipelines=0, people=12)


def asked(sandbox: Sandbox, since: int = 0) -> tuple[int, int]:
    """How often the feed was asked for, and how often single histories."""
    paths = [request.path for request in sandbox.requests[since:] if "/activity" in request.path]
    feeds = sum("/pullrequests/activity" in path for path in paths)
    return feeds, len(paths) - feeds


def forget_records() -> None:
    """As before the first sync."""
    for model in (Coverage, Repository, Person):
        model._default_manager.all().delete()


def undone() -> int:
    """How many pull requests' histories are due."""
    is_due = Q(activity_done_for=None) | ~Q(activity_done_for=F("due_for"))
    return PullRequest.objects.filter(is_due).count()


@pytest.mark.parametrize("status", [403, 404])
def test_refused_feed_is_made_good_by_single_histories(
    copied: Copied, sandbox: Sandbox, status: int
) -> None:
    assert copied.sync().state == State.SUCCEEDED
    by_feed = all_rows()
    forget_records()
    sandbox.faults.add(FEED, status=status)
    begun = len(sandbox.requests)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert all_rows() == by_feed
    assert asked(sandbox, begun)[0] == 1
    assert asked(sandbox, begun)[1] >= PULL_REQUESTS
    assert not any("/comments" in request.path for request in sandbox.requests[begun:])
    row = Coverage.objects.get(stream="pull_request_activity")
    assert (row.gap, row.watermark, undone()) == (None, None, 0)
    assert row.complete_as_of


def test_only_what_changed_is_asked_for_singly(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(FEED, status=403)
    copied.sync()
    begun = len(sandbox.requests)
    assert copied.sync().state == State.SUCCEEDED
    assert asked(sandbox, begun) == (0, 0)
    sandbox.change.merge("acme", "api", 3)

    assert copied.sync().state == State.SUCCEEDED

    assert asked(sandbox, begun) == (0, 1)
    assert Event.objects.filter(pull_request__number=3, kind="update", state="MERGED").exists()


def test_feed_is_asked_again_after_a_day(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(FEED, status=403)
    copied.sync()
    here = all_rows()
    sandbox.faults.clear()
    Coverage.objects.update(asked_at=F("asked_at") - timedelta(hours=25))
    begun = len(sandbox.requests)

    assert copied.sync().state == State.SUCCEEDED

    assert asked(sandbox, begun)[0] > 1
    assert asked(sandbox, begun)[1] == 0
    assert all_rows() == here
    row = Coverage.objects.get(stream="pull_request_activity")
    assert (row.watermark is not None, row.asked_at) == (True, None)


def test_what_left_a_single_history_is_withdrawn(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(FEED, status=403)
    said = sandbox.change.comment("acme", "api", 3, raw="Never mind.")
    copied.sync()
    sandbox.clock.advance(5)
    sandbox.change.delete_comment("acme", "api", 3, said.id, vanish=True)

    copied.sync()

    assert Event.objects.get(comment_number=said.id).withdrawn_at
    assert Event.objects.exclude(withdrawn_at=None).count() == 1


def test_full_sync_reads_every_single_history_again(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(FEED, status=403)
    copied.sync()
    here, begun = all_rows(), len(sandbox.requests)

    assert copied.sync(mode="full").state == State.SUCCEEDED

    assert asked(sandbox, begun)[1] >= PULL_REQUESTS
    assert all_rows() == here


def test_single_histories_that_are_refused_leave_a_gap(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(FEED, status=404)
    sandbox.faults.add(SINGLE, status=404)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert undone() == PULL_REQUESTS
    gap = Coverage.objects.get(stream="pull_request_activity").gap
    assert gap
    assert gap["code"] == "not_found"
    assert Comment.objects.exists()


def test_missing_scope_asks_for_no_single_history(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.change.remove_scope(copied.token, "pullrequest")

    copied.sync()

    assert asked(sandbox)[1] == 0


def test_pull_request_that_is_gone_stops_no_other(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync(streams=["pull_requests"])
    sandbox.world.workspaces["acme"].repositories["api"].pull_requests.pop(7)
    sandbox.site.changed()
    sandbox.faults.add(FEED, status=403)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert undone() == 0
    known = set(Event.objects.values_list("pull_request__number", flat=True))
    assert known == set(range(1, PULL_REQUESTS + 1)) - {7}


def test_killed_between_single_histories_the_rows_are_those_of_an_undisturbed_sync(
    copied: Copied, sandbox: Sandbox, lose_lease: Callable[[Sync], None]
) -> None:
    copied.sync()
    undisturbed = all_rows()
    forget_records()
    sandbox.faults.add(FEED, status=403)
    sync, deaths = copied.start(), 0
    while sync.state not in (State.SUCCEEDED, State.PARTIAL, State.FAILED):
        with killed_at(4):
            try:
                engine.run_slice(sync.pk)
            except Killed:
                deaths += 1
        sync.refresh_from_db()
        lose_lease(sync)
        assert deaths < 200

    assert deaths > 1
    assert sync.state == State.SUCCEEDED
    assert all_rows() == undisturbed


@pytest.mark.parametrize(("hours", "state"), [(0, State.SUCCEEDED), (2, State.PARTIAL)])
def test_empty_last_page_is_the_end_where_the_opening_was_reached(
    copied: Copied, sandbox: Sandbox, hours: int, state: State
) -> None:
    sandbox.faults.add(FEED, status=403)
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[3]
    opened = (there.created_on + timedelta(hours=hours)).isoformat()
    entry = {"pull_request": {"id": 3}, "update": {"date": opened, "state": "OPEN"}}
    end = f"{sandbox.api_url}/repositories/acme/api/pullrequests/3/activity?ctx=end"
    pages = {
        r"ctx=end": {"values": []},
        r"pullrequests/3/activity": {"values": [entry], "next": end},
    }
    for where, body in pages.items():
        sandbox.faults.add(where, status=200, body=json.dumps(body))

    sync = copied.sync(streams=["pull_request_activity"])

    assert sync.state == state, sync.error
