"""Lists of single pull requests that are empty, short, unreadable or refused remove nothing."""

import json

import pytest
from django.db.models import F

from ingestion.models import Comment, Coverage, Event, Person, PullRequest, State
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_short_listings import ENDS, error_of, undone
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=20, pipelines=8, people=12)


def first_comment() -> Comment:
    found = Comment.objects.filter(removed_at=None, is_deleted=False).order_by("pk").first()
    assert found
    return found


@pytest.mark.parametrize("kind", ENDS)
def test_comments_that_a_list_lacks_stay_and_are_asked_for_again(
    copied: Copied, sandbox: Sandbox, kind: str
) -> None:
    copied.sync()
    one = first_comment()
    number = one.pull_request.number
    sandbox.change.edit_comment("acme", "api", number, one.number, raw="On second thought.")
    last = sandbox.change.comment("acme", "api", 20, raw="Fine.")
    sandbox.faults.add(rf"/pullrequests/{number}/comments", kind=kind)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    error = error_of(sync, "pull_request_comments")
    assert (error["code"], f"(#{number})" in error["message"]) == ("no_resources", True)
    assert not Comment.objects.exclude(removed_at=None).exists()
    assert Comment.objects.get(number=last.id).content == "Fine."
    sandbox.faults.clear()
    assert copied.sync().state == State.SUCCEEDED
    one.refresh_from_db()
    assert one.content == "On second thought."


def test_comments_that_are_gone_by_bitbuckets_count_too_are_removed(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    one = first_comment()
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests
    there[one.pull_request.number].comments.clear()
    sandbox.change.pull_request("acme", "api", one.pull_request.number, title="Quiet")

    assert copied.sync().state == State.SUCCEEDED

    assert not Comment.objects.filter(pull_request=one.pull_request, removed_at=None).exists()


@pytest.mark.parametrize("kind", ENDS)
def test_history_that_lacks_what_is_stored_withdraws_nothing(
    copied: Copied, sandbox: Sandbox, kind: str
) -> None:
    sandbox.faults.add(r"/pullrequests/activity", status=403)
    copied.sync()
    sandbox.change.pull_request("acme", "api", 3, title="Another title")
    fault = sandbox.faults.add(r"/pullrequests/3/activity", kind=kind)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert "(#3)" in error_of(sync, "pull_request_activity")["message"]
    assert not Event.objects.exclude(withdrawn_at=None).exists()
    assert undone() == 1
    sandbox.faults.remove(fault)
    assert copied.sync().state == State.SUCCEEDED
    assert undone() == 0


def test_comment_that_cannot_be_read_is_not_removed(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    one = first_comment()
    sandbox.change.pull_request("acme", "api", one.pull_request.number, title="Another title")
    said = {"id": one.number, "content": {"raw": 17}}
    sandbox.faults.add(r"/pullrequests/\d+/comments", body=json.dumps({"values": [said]}))

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert not Comment.objects.exclude(removed_at=None).exists()


def test_members_who_cannot_be_read_stay_members(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    uuids = Person.objects.filter(is_member=True).values_list("uuid", flat=True)
    listed = [{"user": {"uuid": uuid, "display_name": 5}} for uuid in uuids]
    sandbox.faults.add(r"/members", body=json.dumps({"values": listed}))

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert Person.objects.filter(is_member=True).count() == len(listed) == 12


@pytest.mark.parametrize("feed_is_refused", [False, True])
def test_entries_that_cannot_be_read_are_not_withdrawn(
    copied: Copied, sandbox: Sandbox, feed_is_refused: bool
) -> None:
    if feed_is_refused:
        sandbox.faults.add(r"/pullrequests/activity", status=403)
    sandbox.change.approve("acme", "api", 3, person="ada")
    copied.sync()
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[3]
    entry = there.activity[-1]
    entry.kind = "applause"  # type: ignore[assignment]
    sandbox.clock.advance(5)
    sandbox.change.comment("acme", "api", 3, raw="And that.")

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert Event.objects.filter(kind="approval", happened_at=entry.date).exists()
    assert not Event.objects.exclude(withdrawn_at=None).exists()


def test_details_that_are_refused_leave_all_pull_requests_due(
    copied: Copied, sandbox: Sandbox
) -> None:
    sandbox.faults.add(r"/pullrequests/(activity|\d+)", status=404)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert error_of(sync, "pull_request_activity")["code"] == "not_found"
    assert undone() == 20
    sandbox.faults.clear()
    Coverage.objects.update(asked_at=None)
    assert copied.sync().state == State.SUCCEEDED
    assert undone() == 0


@pytest.mark.parametrize("where", [r"/comments", r"/pullrequests[/?]"])
def test_list_of_comments_that_is_refused_is_read_later(
    copied: Copied, sandbox: Sandbox, where: str
) -> None:
    copied.sync()
    one = first_comment()
    sandbox.change.edit_comment("acme", "api", one.pull_request.number, one.number, raw="New.")
    sandbox.faults.add(where, status=404)

    assert copied.sync().state == State.PARTIAL

    sandbox.faults.clear()
    assert copied.sync().state == State.SUCCEEDED
    one.refresh_from_db()
    assert one.content == "New."


def test_one_list_of_comments_that_is_refused_stops_no_other(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    said = PullRequest.objects.filter(comment_count__gt=0).order_by("pk")
    refused, other = (said.values_list("number", flat=True)[at] for at in (0, 1))
    for number in (refused, other):
        sandbox.change.pull_request("acme", "api", number, title="Another title")
    sandbox.faults.add(rf"/pullrequests/{refused}/comments", status=404)

    syncs = [copied.sync() for _ in range(4)]

    assert {sync.state for sync in syncs} == {State.PARTIAL}
    assert f"(#{refused})" in error_of(syncs[-1], "pull_request_comments")["message"]
    due = PullRequest.objects.exclude(comments_done_for=F("due_for"))
    assert list(due.values_list("number", flat=True)) == [refused]


def test_one_history_that_is_refused_stops_no_other(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/pullrequests/(activity|1/activity)", status=404)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert "(#1)" in error_of(sync, "pull_request_activity")["message"]
    assert undone() == 1


def test_comments_of_a_pull_request_that_is_gone_stay(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    one = first_comment()
    sandbox.world.workspaces["acme"].repositories["api"].pull_requests.pop(one.pull_request.number)
    sandbox.site.changed()
    PullRequest.objects.filter(pk=one.pull_request_id).update(comments_done_for=None)

    assert copied.sync().state == State.SUCCEEDED

    assert not Comment.objects.exclude(removed_at=None).exists()
    assert not PullRequest.objects.filter(comments_done_for=None).exists()


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=60, pipelines=0, people=8)])
@pytest.mark.parametrize("what", ["edited", "deleted"])
def test_comment_that_changes_after_a_first_sync_that_failed_is_read_again(
    copied: Copied, sandbox: Sandbox, what: str
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests
    talked = [one for one in there.values() if one.comment_count > 1]
    changed, other = talked[0], talked[-1]
    other.comments[0].vanished = True  # the feed lacks it, so that its list is read
    sandbox.site.changed()
    fault = sandbox.faults.add(rf"/pullrequests/{other.id}/comments", status=500)
    assert copied.sync().state == State.PARTIAL
    sandbox.faults.remove(fault)
    sandbox.clock.advance(7200)
    said = next(one for one in changed.comments if not one.deleted)
    if what == "edited":
        sandbox.change.edit_comment("acme", "api", changed.id, said.id, raw="What it says now")
    else:
        sandbox.change.delete_comment("acme", "api", changed.id, said.id)

    states = [copied.sync().state, copied.sync().state]

    assert states == [State.SUCCEEDED] * 2
    assert not Coverage.objects.exclude(gap=None).exists()
    row = Comment.objects.get(number=said.id)
    assert (row.content, row.is_deleted) == (said.raw, said.deleted)
