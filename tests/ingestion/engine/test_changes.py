"""What changes at Bitbucket between two syncs arrives with the second."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from ingestion import engine
from ingestion.models import (
    Comment,
    Coverage,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Quota,
    QuotaBucket,
    Repository,
    Review,
    State,
    Sync,
)
from ingestion.quota import forget_lots
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows, count
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=20, pipelines=8, people=12)


@pytest.fixture
def synced(copied: Copied) -> Copied:
    """A connection that has been synced once."""
    assert copied.sync().state == State.SUCCEEDED
    return copied


def numbered(number: int) -> PullRequest:
    return PullRequest.objects.get(repository__slug="api", number=number)


def test_clock_that_runs_ahead_hides_no_change(copied: Copied, sandbox: Sandbox) -> None:
    ahead = sandbox.faults.add(headers={"date": "Mon, 01 Jan 2035 00:00:00 GMT"})
    copied.sync()
    sandbox.faults.remove(ahead)
    sandbox.change.pull_request("acme", "api", 3, title="Another title")

    copied.sync()

    assert numbered(3).title == "Another title"


def test_changed_pull_request_arrives_with_its_details(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.pull_request("acme", "api", 3, title="Another title")
    sandbox.change.approve("acme", "api", 3, person="ada")
    sandbox.change.comment("acme", "api", 3, raw="Looks good.")

    sync = synced.sync()

    row = numbered(3)
    assert row.title == "Another title"
    assert row.due_for == row.activity_done_for == row.comments_done_for == row.updated_on
    assert Review.objects.get(pull_request=row, person__name__startswith="Ada").is_approved
    assert Comment.objects.filter(pull_request=row, content="Looks good.").exists()
    assert Event.objects.filter(pull_request=row, kind="approval").exists()
    runs = {run.stream: run for run in sync.stream_runs.filter(repository=None)}
    assert (runs["pull_requests"].created, runs["pull_requests"].updated) == (0, 1)


def test_only_what_changed_is_asked_for(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.merge("acme", "api", 3)
    asked = len(sandbox.requests)

    synced.sync()

    paths = [request.path for request in sandbox.requests[asked:]]
    assert sum("activity" in path for path in paths) == 2  # the second page is all known
    assert sum("comments" in path for path in paths) <= 1
    assert len(paths) <= 2 + 4 + 3


def test_new_pull_request_arrives(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.new_pull_request("acme", "api", title="Brand new")

    synced.sync()

    assert numbered(21).title == "Brand new"
    assert Event.objects.filter(pull_request__number=21, kind="update").exists()


def test_edited_and_deleted_comments_are_followed(synced: Copied, sandbox: Sandbox) -> None:
    one = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[2]
    first, second = (said.id for said in one.comments[:2])
    sandbox.change.edit_comment("acme", "api", 2, first, raw="On second thought.")
    sandbox.change.delete_comment("acme", "api", 2, second, vanish=True)

    synced.sync()

    assert Comment.objects.get(number=first).content == "On second thought."
    assert Comment.objects.get(number=second).is_deleted


def test_withdrawn_approval_leaves_the_reviews(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.approve("acme", "api", 3, person="ada")
    synced.sync()
    sandbox.change.unapprove("acme", "api", 3, person="ada")

    synced.sync()

    review = Review.objects.get(pull_request=numbered(3), person__name__startswith="Ada")
    assert not review.is_approved or review.removed_at


def test_entry_that_left_the_feed_stays_as_withdrawn(synced: Copied, sandbox: Sandbox) -> None:
    said = sandbox.change.comment("acme", "api", 3, raw="Never mind.")
    synced.sync()
    sandbox.clock.advance(5)
    sandbox.change.delete_comment("acme", "api", 3, said.id, vanish=True)

    synced.sync()

    assert Event.objects.get(comment_number=said.id).withdrawn_at


@pytest.mark.parametrize(
    "scale", [Scale(repositories=1, pull_requests=130, pipelines=0, same_instant=120)]
)
def test_pull_requests_of_one_instant_are_all_read(copied: Copied, sandbox: Sandbox) -> None:

    sync = copied.sync(streams=["pull_requests"])

    assert sync.state == State.SUCCEEDED
    assert PullRequest.objects.count() == 130


def test_new_and_finished_pipelines_arrive(synced: Copied, sandbox: Sandbox) -> None:
    run = sandbox.change.new_pipeline("acme", "api")
    synced.sync()
    assert PipelineRun.objects.get(uuid=run.uuid).completed_on is None
    sandbox.change.finish_pipeline("acme", "api", run.uuid)

    synced.sync()

    assert PipelineRun.objects.get(uuid=run.uuid).completed_on


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=1, pipelines=250, days=10)])
def test_pipeline_that_runs_again_is_found_below_what_is_unchanged(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    sandbox.change.rerun_pipeline("acme", "api", 20)

    copied.sync()
    assert PipelineRun.objects.get(number=20).run_number == 1
    Coverage.objects.update(looked_back_at=F("looked_back_at") - timedelta(hours=25))
    copied.sync()

    assert PipelineRun.objects.get(number=20).run_number == 2


def test_reviewers_of_open_pull_requests_are_read_once_a_day(
    synced: Copied, sandbox: Sandbox
) -> None:
    asked = len(sandbox.requests)
    Coverage.objects.update(looked_back_at=F("looked_back_at") - timedelta(hours=25))

    synced.sync()
    first = len(sandbox.requests)
    synced.sync()

    listings = [r for r in sandbox.requests[asked:first] if r.path.endswith("/pullrequests")]
    assert len(listings) == 4
    assert len(sandbox.requests) - first == 6


def test_renamed_repository_is_the_same_one(synced: Copied, sandbox: Sandbox) -> None:
    before = Repository.objects.get(slug="api")
    sandbox.change.rename_repository("acme", "api", slug="core-api")

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED
    before.refresh_from_db()
    assert before.slug == "core-api"
    assert Repository.objects.count() == 2


def test_new_repository_is_copied(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.new_repository("acme", "tools")

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED
    assert Repository.objects.filter(slug="tools", removed_at=None).exists()


def test_deleted_repository_is_marked_and_its_records_stay(
    synced: Copied, sandbox: Sandbox
) -> None:
    sandbox.change.delete_repository("acme", "web")

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert Repository.objects.get(slug="web").removed_at
    assert PullRequest.objects.filter(repository__slug="web").count() == 20
    assert synced.sync().state == State.SUCCEEDED


@pytest.mark.parametrize("trouble", [{"status": 500}, {"kind": "429_retry_after"}])
def test_deleted_repository_is_marked_after_a_pause_on_the_way(
    synced: Copied, sandbox: Sandbox, settings: Any, trouble: dict[str, Any]
) -> None:
    settings.SYNC_RETRY_DELAYS = [0]
    sandbox.change.delete_repository("acme", "web")
    sandbox.faults.add(r"/repositories/[^/]*/[^/?]*$", times=1, **trouble)

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert Repository.objects.get(slug="web").removed_at
    assert not sync.stream_runs.exclude(error=None).exists()


def test_repository_that_is_only_missing_from_the_list_is_not_marked(
    synced: Copied, sandbox: Sandbox
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"]
    one = Repository.objects.get(slug="api")
    Repository.objects.create(
        connection=synced.connection,
        uuid=there.uuid.upper(),
        name="twin",
        full_name="acme/twin",
        updated_on=one.updated_on,
        changed_at=one.changed_at,
    )
    sandbox.faults.add(r"/repositories/[^/]*/[^/?]*$", status=500)

    synced.sync()

    assert Repository.objects.get(name="twin").removed_at is None


def test_member_who_left_is_no_member(synced: Copied, sandbox: Sandbox) -> None:
    members = sandbox.world.workspaces["acme"].members
    left = next(m.person for m in members.values() if m.permission != "owner")
    sandbox.change.remove_person("acme", left.nickname)

    synced.sync()

    assert not Person.objects.get(uuid=left.uuid).is_member


def test_unselected_repositories_are_listed_and_not_copied(
    copied: Copied, sandbox: Sandbox
) -> None:
    uuid = sandbox.world.workspaces["acme"].repositories["web"].uuid
    copied.connection.selection = {
        "repositories": {"mode": "chosen", "ids": [uuid]},
        "streams": [],
        "since": None,
    }
    copied.connection.save()

    copied.sync()

    assert Repository.objects.count() == 2
    assert set(PullRequest.objects.values_list("repository__uuid", flat=True)) == {uuid}


def test_dead_cursor_begins_the_feed_again(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/activity\?", status=500, after=1)
    copied.sync(streams=["pull_request_activity"])
    stuck = Coverage.objects.exclude(checkpoint=None).filter(stream="pull_request_activity")
    assert stuck.exists()
    sandbox.faults.clear()
    sandbox.change.expire_cursors()

    sync = copied.sync(streams=["pull_request_activity"])

    assert sync.state == State.SUCCEEDED, sync.error
    here = all_rows()
    Repository.objects.all().delete()
    Coverage.objects.all().delete()
    Person.objects.all().delete()
    copied.sync(streams=["pull_request_activity"])
    assert all_rows() == here


def test_cursor_of_another_address_of_the_api_begins_the_feed_again(
    copied: Copied, sandbox: Sandbox
) -> None:
    sandbox.faults.add(r"/activity\?", status=500, after=1)
    copied.sync(streams=["pull_request_activity"])
    sandbox.faults.clear()
    stuck = Coverage.objects.get(checkpoint__walk__has_key="cursor")
    walk = stuck.checkpoint["walk"]
    walk["cursor"] = walk["cursor"].replace(sandbox.host, "127.0.0.1:9")
    stuck.save()

    sync = copied.sync(streams=["pull_request_activity"])

    assert sync.state == State.SUCCEEDED, sync.error


@pytest.mark.parametrize(
    "scale", [Scale(repositories=1, pull_requests=200, pipelines=0, comments_every=0)]
)
def test_walk_goes_on_where_it_broke_off(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"pullrequests\?", status=500, after=3)
    copied.sync(streams=["pull_requests"])
    assert 100 < PullRequest.objects.count() < 200
    sandbox.faults.clear()
    asked = len(sandbox.requests)

    copied.sync(streams=["pull_requests"])

    assert PullRequest.objects.count() == 200
    assert sum("pullrequests" in r.path for r in sandbox.requests[asked:]) <= 3  # of five


def test_quota_is_waited_for_and_the_sync_goes_on(
    copied: Copied, sandbox: Sandbox, settings: Any
) -> None:
    settings.QUOTA_LIMIT = 10
    sandbox.quota.limit = 10
    sync = copied.start()

    assert engine.run_slice(sync.pk) == State.WAITING
    sync.refresh_from_db()
    assert sync.reason == Sync.Reason.QUOTA
    assert sync.resume_at
    first = count()
    assert first > 0
    assert sandbox.quota.refused == 0
    settings.QUOTA_LIMIT = sandbox.quota.limit = 1000
    forget_lots()
    QuotaBucket.objects.all().delete()
    Quota.objects.all().delete()
    Sync.objects.filter(pk=sync.pk).update(resume_at=sync.created_at)

    assert engine.run_to_end(sync.pk).state == State.SUCCEEDED
    assert count() > first


def test_history_window_leaves_older_pull_requests_out(copied: Copied, sandbox: Sandbox) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests.values()
    moments = sorted(one.updated_on for one in there)
    day = moments[len(moments) // 2].date()
    copied.connection.selection = {
        "repositories": {"mode": "all"},
        "streams": [],
        "since": day.isoformat(),
    }
    copied.connection.save()

    copied.sync()

    expected = sum(one.updated_on.date() >= day for one in there)
    assert 0 < expected < len(moments)
    rows = PullRequest.objects.filter(repository__slug="api", updated_on__date__gte=day)
    assert rows.count() == expected


def test_history_window_behind_the_last_pull_request_leaves_nothing_to_list(
    synced: Copied, sandbox: Sandbox
) -> None:
    day = max(PullRequest.objects.values_list("updated_on", flat=True)) + timedelta(days=1)
    synced.connection.selection = {
        "repositories": {"mode": "all"},
        "streams": [],
        "since": day.date().isoformat(),
    }
    synced.connection.save()

    states = [synced.sync(mode).state for mode in ("full", "incremental", "full")]

    assert set(states) == {State.SUCCEEDED}
    assert PullRequest.objects.count() == 40


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=8, pipelines=0, people=6)])
@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_somebody_who_is_no_member_any_more_changes_the_name(
    copied: Copied, sandbox: Sandbox, mode: str
) -> None:
    copied.sync()
    api = sandbox.world.workspaces["acme"].repositories["api"]
    one = api.pull_requests[2]
    sandbox.change.remove_person("acme", one.author.uuid)
    copied.sync()
    sandbox.change.rename_person(one.author.uuid, "Another Name")
    sandbox.change.pull_request("acme", "api", one.id, title="Another title")

    copied.sync(mode)

    assert Person.objects.get(uuid=one.author.uuid).name == "Another Name"
