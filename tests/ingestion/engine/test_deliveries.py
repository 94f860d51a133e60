"""What becomes of deliveries: records change at once, and nothing is said to be complete by it."""

from datetime import timedelta
from typing import Any

from ingestion.engine import following
from ingestion.models import (
    Comment,
    Commit,
    Delivery,
    Event,
    PipelineRun,
    PullRequest,
    Push,
    Repository,
    Review,
    State,
    Step,
)
from ingestion.selectors.deliveries import missed_lately
from ingestion.services.deliveries import replay
from tenants.actor import Actor
from tests.factories import DeliveryFactory
from tests.hooks import about_push, about_repository
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.delivering import (
    about,
    at,
    coverage,
    deliver,
    ended,
    opened,
    place,
    scale,
    whole,
)
from tests.ingestion.engine.rows import all_rows
from tests.ingestion.engine.test_pipelines_connection import beneath
from tests.sandbox import Sandbox

__all__ = ("place", "scale", "whole")


def test_a_pull_request_changes_at_once(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one, before = opened(place), coverage()
    sandbox.change.approve(*at(place), one.id, person="ada")
    sandbox.change.comment(*at(place), one.id, raw="Well done.")

    row = deliver(whole, "pullrequest:approved", about(place, one.id, one.updated_on))

    assert ended(row) == ("done", "changed")
    stored = PullRequest.objects.get(repository__uuid=place.uuid, number=one.id)
    assert stored.updated_on == one.updated_on
    assert Review.objects.filter(pull_request=stored, is_approved=True).exists()
    assert Event.objects.filter(pull_request=stored, kind="approval").exists()
    assert Comment.objects.filter(pull_request=stored, content="Well done.").exists()
    assert stored.activity_done_for == stored.comments_done_for == stored.due_for
    assert row.changed >= 3
    assert row.requests == sum(row.uses.values()) == 3
    assert coverage() == before, "no watermark moves, nothing is said to be complete"


def test_the_next_sync_finds_nothing_more(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one = opened(place)
    sandbox.change.approve(*at(place), one.id, person="ada")
    sandbox.change.comment(*at(place), one.id)
    deliver(whole, "pullrequest:approved", about(place, one.id, one.updated_on))

    sync = whole.sync()

    assert sync.state == State.SUCCEEDED
    assert (sync.counts["created"], sync.counts["updated"], sync.counts["removed"]) == (0, 0, 0)


def test_what_no_delivery_told_of_is_healed_by_the_next_sync_and_counted(
    whole: Copied, place: Any, sandbox: Sandbox
) -> None:
    one = opened(place)
    sandbox.change.approve(*at(place), one.id, person="ada")
    deliver(whole, "pullrequest:approved", about(place, one.id, one.updated_on))
    sandbox.change.new_pull_request(*at(place), title="Nobody told of it")

    whole.sync()

    assert PullRequest.objects.filter(title="Nobody told of it").exists()
    assert missed_lately(whole.connection.organization) == 1


def test_a_new_pull_request_is_brought_whole(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one = sandbox.change.new_pull_request(*at(place), title="By a webhook")

    row = deliver(whole, "pullrequest:created", about(place, one.id, one.updated_on))

    assert ended(row) == ("done", "changed")
    assert PullRequest.objects.get(title="By a webhook").created_on == one.created_on


def test_deliveries_and_a_sync_bring_the_same(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one = opened(place)
    sandbox.change.approve(*at(place), one.id, person="ada")
    said = sandbox.change.comment(*at(place), one.id, raw="First")
    sandbox.change.edit_comment(*at(place), one.id, said.id, raw="Second")
    for _ in range(2):
        deliver(whole, "pullrequest:comment_updated", about(place, one.id, one.updated_on))
    after_hooks = all_rows()

    whole.sync()

    assert all_rows() == after_hooks


def test_an_older_delivery_is_dropped(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one = opened(place)
    asked = len(sandbox.requests)

    row = deliver(
        whole, "pullrequest:updated", about(place, one.id, one.updated_on - timedelta(seconds=1))
    )

    assert ended(row) == ("dropped", "stale")
    assert len(sandbox.requests) == asked


def test_a_comment_is_read_again_though_its_pull_request_did_not_move(
    whole: Copied, place: Any, sandbox: Sandbox
) -> None:
    one = opened(place)
    sandbox.change.comment(*at(place), one.id, raw="As it is there")
    whole.sync()
    Comment.objects.filter(content="As it is there").update(content="As it was here")

    row = deliver(whole, "pullrequest:comment_updated", about(place, one.id, one.updated_on))

    assert ended(row) == ("done", "changed")
    assert Comment.objects.filter(content="As it is there").exists()


def test_one_that_is_as_old_as_the_row_asks(whole: Copied, place: Any) -> None:
    one = opened(place)

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert ended(row) == ("done", "unchanged")
    assert row.changed == 0


def test_in_any_order(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one = opened(place)
    first = about(place, one.id, sandbox.change.pull_request(*at(place), one.id).updated_on)
    sandbox.change.pull_request(*at(place), one.id, title="Later")
    second = about(place, one.id, one.updated_on)

    outcomes = [ended(deliver(whole, "pullrequest:updated", body)) for body in (second, first)]

    assert outcomes == [("done", "changed"), ("dropped", "stale")]
    assert PullRequest.objects.get(repository__uuid=place.uuid, number=one.id).title == "Later"


def test_many_about_one_are_answered_by_one_fetch(
    whole: Copied, place: Any, sandbox: Sandbox
) -> None:
    body = about_repository(place)
    earlier = DeliveryFactory.create(connection=whole.connection, state="queued", event="e")
    deliver(whole, "repo:commit_status_updated", body)
    Delivery.objects.filter(pk=earlier.pk).update(
        event="repo:commit_status_created",
        body=Delivery.objects.latest("pk").body,
        about=Delivery.objects.latest("pk").about,
    )
    asked = len(sandbox.requests)

    following.follow(earlier.pk)

    assert ended(Delivery.objects.get(pk=earlier.pk)) == ("dropped", "repeated")
    assert len(sandbox.requests) == asked


def test_a_replay_asks_whatever_is_here(whole: Copied, place: Any) -> None:
    one = opened(place)
    row = deliver(
        whole, "pullrequest:updated", about(place, one.id, one.updated_on - timedelta(days=1))
    )
    PullRequest.objects.filter(number=one.id, repository__uuid=place.uuid).update(title="Lost")

    replay(delivery=row, by=Actor.system())
    following.follow(row.pk)

    assert ended(Delivery.objects.get(pk=row.pk)) == ("done", "changed")
    stored = PullRequest.objects.get(number=one.id, repository__uuid=place.uuid)
    assert stored.title == one.title


def test_a_push_brings_its_commits(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    before = coverage()
    tip = sandbox.change.push_main(*at(place))

    row = deliver(whole, "repo:push", about_push(place, tip))

    assert ended(row) == ("done", "changed")
    assert Commit.objects.filter(repository__uuid=place.uuid, hash=tip).exists()
    assert coverage() == before, "the heads stay"
    whole.sync()
    assert not Push.objects.exists(), "the walk has met them"


def test_what_was_pushed_and_dropped_before_the_next_sync(
    whole: Copied, place: Any, sandbox: Sandbox
) -> None:
    tip = sandbox.change.push_branch(*at(place), "short-lived")
    deliver(whole, "repo:push", about_push(place, tip))
    assert Commit.objects.filter(hash=tip, removed_at=None).exists()
    sandbox.change.delete_branch(*at(place), "short-lived")

    whole.sync()

    assert Commit.objects.get(repository__uuid=place.uuid, hash=tip).removed_at


def test_a_status_brings_runs_and_steps(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    before = coverage()
    run = sandbox.change.new_pipeline(*at(place))
    sandbox.change.finish_pipeline(*at(place), run.uuid)

    row = deliver(whole, "repo:commit_status_updated", about_repository(place))

    assert ended(row) == ("done", "changed")
    assert PipelineRun.objects.get(uuid=run.uuid).completed_on
    assert Step.objects.filter(run__uuid=run.uuid).exists()
    assert coverage() == before


def test_a_repository_is_renamed(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    sandbox.change.rename_repository(*at(place), "renamed")

    row = deliver(whole, "repo:updated", about_repository(place))

    assert ended(row) == ("done", "changed")
    assert Repository.objects.get(uuid=place.uuid).slug == "renamed"


def test_a_repository_is_created_and_deleted(whole: Copied, sandbox: Sandbox) -> None:
    made = sandbox.change.new_repository("acme", "by-a-webhook")

    assert ended(deliver(whole, "repo:created", about_repository(made))) == ("done", "changed")
    assert Repository.objects.get(uuid=made.uuid).is_selected

    false_alarm = deliver(whole, "repo:deleted", about_repository(made))
    assert ended(false_alarm) == ("done", "unchanged"), "Bitbucket shows it"

    sandbox.change.delete_repository("acme", "by-a-webhook")
    assert ended(deliver(whole, "repo:updated", about_repository(made))) == ("done", "gone")
    assert Repository.objects.get(uuid=made.uuid).removed_at is None, "only its own event says so"
    assert ended(deliver(whole, "repo:deleted", about_repository(made))) == ("done", "gone")
    assert Repository.objects.get(uuid=made.uuid).removed_at


def test_what_a_connection_beneath_copies_is_fetched_with_its_token(
    whole: Copied, place: Any, sandbox: Sandbox
) -> None:
    lower = beneath(whole, sandbox)
    lower.sync()
    run = sandbox.change.new_pipeline(*at(place))
    begun = len(sandbox.requests)

    row = deliver(whole, "repo:commit_status_created", about_repository(place))

    assert ended(row) == ("done", "changed")
    assert PipelineRun.objects.get(uuid=run.uuid).connection == lower.connection
    assert list(row.uses) == [str(lower.credential.pk)]
    assert all("/pipelines" in one.path for one in sandbox.requests[begun:])
