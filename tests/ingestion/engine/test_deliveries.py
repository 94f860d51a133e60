"""What becomes of deliveries: records change at once, and nothing is said to be complete by it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.models import Connection, Credential
from ingestion.engine import following, inbox
from ingestion.engine.errors import Lost
from ingestion.models import (
    Comment,
    Commit,
    Coverage,
    Delivery,
    Event,
    PipelineRun,
    PullRequest,
    Push,
    Repository,
    Review,
    State,
    Step,
    Sync,
)
from ingestion.services.deliveries import replay, send_due
from ingestion.services.syncs import ConnectionNotReady
from tenants.actor import Actor
from tests.factories import DeliveryFactory
from tests.hooks import about_pull_request, about_push, about_repository
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.ingestion.engine.rows import all_rows
from tests.ingestion.engine.test_pipelines_connection import beneath
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=8, pipelines=6, people=6)


@pytest.fixture
def whole(copied: Copied) -> Copied:
    """Everything that can be copied, once."""
    assert copied.choose(*EVERYTHING).sync().state == State.SUCCEEDED
    return copied


@pytest.fixture
def place(whole: Copied, sandbox: Sandbox) -> Any:
    """A repository with open pull requests, as the sandbox has it."""
    repositories = sandbox.world.workspaces["acme"].repositories.values()
    return next(one for one in repositories if any(pr.state == "OPEN" for pr in prs(one)))


def prs(place: Any) -> list[Any]:
    return list(place.pull_requests.values())


def opened(place: Any) -> Any:
    return next(one for one in prs(place) if one.state == "OPEN")


def at(place: Any) -> tuple[str, str]:
    return "acme", place.slug


def deliver(whole: Copied, event: str, body: dict[str, Any], **values: Any) -> Delivery:
    """What became of a delivery that was stored and followed."""
    row = DeliveryFactory.create(
        connection=whole.connection,
        event=event,
        body=json.dumps(body),
        state=Delivery.State.QUEUED,
        outcome="",
        **values,
    )
    hint = following.hint_of(row)
    if hint:
        Delivery.objects.filter(pk=row.pk).update(about=hint.about)
    following.follow(row.pk)
    return Delivery.objects.get(pk=row.pk)


def about(place: Any, number: int, updated_on: Any) -> dict[str, Any]:
    return about_pull_request(place, number, updated_on)


def ended(row: Delivery) -> tuple[str, str]:
    assert row.error is None, row.error
    assert row.processed_at
    assert row.ms is not None
    return row.state, row.outcome


def coverage() -> list[Any]:
    return list(Coverage.objects.order_by("pk").values())


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


def test_what_cannot_be_stored_is_left_to_the_next_sync(
    whole: Copied, place: Any, sandbox: Sandbox
) -> None:
    one = opened(place)
    sandbox.change.pull_request(*at(place), one.id, title="Unreadable for now")
    fault = sandbox.faults.add(r"/pullrequests/\d+$", status=200, body='{"id": "none"}')

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert fault.hits == 1
    assert (row.state, row.outcome) == ("failed", "failed")
    assert row.error
    assert row.error["code"] == "rejected_rows"
    sandbox.faults.clear()
    whole.sync()
    assert PullRequest.objects.filter(title="Unreadable for now").exists()


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


def test_what_is_being_fetched_is_not_begun_again(whole: Copied) -> None:
    row = DeliveryFactory.create(connection=whole.connection, state="running")

    assert replay(delivery=row, by=Actor.system()).replays == 0


def test_nothing_is_replayed_while_the_connection_is_paused(whole: Copied) -> None:
    row = DeliveryFactory.create(connection=whole.connection)
    Connection.objects.update(status=Connection.Status.DISABLED)
    with pytest.raises(ConnectionNotReady):
        replay(delivery=row, by=Actor.system())


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


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("issue:created", {}),
        ("project:updated", {}),
        ("repo:push", {"push": {"changes": []}}),
        ("repo:push", {"push": None}),
        ("repo:fork", {}),
        ("", {}),
        ("pullrequest:created", {"pullrequest": None}),
        ("pullrequest:created", {"pullrequest": {"id": "7"}}),
        ("pullrequest:created", {"pullrequest": {"id": True, "updated_on": 7}}),
        ("pullrequest:created", {"pullrequest": {"id": 7, "updated_on": "soon"}}),
        ("pullrequest:created", {"repository": {"uuid": 7}, "pullrequest": {"id": 7}}),
        ("pullrequest:created", {"repository": [], "pullrequest": {"id": 7}}),
    ],
)
def test_what_tells_of_nothing(
    whole: Copied, place: Any, sandbox: Sandbox, event: str, body: dict[str, Any]
) -> None:
    asked = len(sandbox.requests)

    row = deliver(whole, event, {**about_repository(place), **body})

    assert ended(row) == ("dropped", "unknown_event")
    assert len(sandbox.requests) == asked


def test_what_is_not_synced(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one, asked = opened(place), len(sandbox.requests)
    body = about(place, one.id, one.updated_on)

    Repository.objects.filter(uuid=place.uuid).update(is_selected=False)
    not_selected = deliver(whole, "pullrequest:updated", body)
    unknown = {**body, "repository": {"uuid": "{never-seen}"}}
    not_read = deliver(whole, "pullrequest:updated", unknown)
    whole.choose("pull_requests")
    not_copied = deliver(whole, "repo:push", about_push(place))

    outcomes = [row.outcome for row in (not_selected, not_read, not_copied)]
    assert outcomes == ["not_selected", "not_read_yet", "not_copied"]
    assert len(sandbox.requests) == asked


def test_commits_that_were_never_read_are_left_to_the_sync(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.choose("pull_requests").sync()
    copied.choose("pull_requests", "commits")
    place = next(iter(sandbox.world.workspaces["acme"].repositories.values()))

    assert deliver(copied, "repo:push", about_push(place)).outcome == "not_read_yet"


def test_waits_while_the_connection_is_paused(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one, asked = opened(place), len(sandbox.requests)
    Connection.objects.update(status=Connection.Status.DISABLED)

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert row.state == "queued"
    assert len(sandbox.requests) == asked
    assert send_due() == 0
    Connection.objects.update(status=Connection.Status.AVAILABLE)
    assert send_due() == 1, "once it is enabled the tick sends it"
    assert send_due() == 0, "not again at once"


def test_writes_nothing_once_it_is_paused(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    hold = _claimed(whole)
    Connection.objects.update(status=Connection.Status.DISABLED)

    with pytest.raises(Lost), transaction.atomic():
        hold.take()


def test_writes_nothing_once_another_worker_has_it(whole: Copied) -> None:
    hold = _claimed(whole)
    Delivery.objects.update(lease_until=now() - timedelta(seconds=1))

    newer = inbox.claim(hold.delivery.pk)

    assert newer
    with transaction.atomic():
        newer.take()
    with pytest.raises(Lost), transaction.atomic():
        hold.take()
    with pytest.raises(Lost):
        hold.end(Delivery.State.DONE, Delivery.Outcome.CHANGED)
    assert inbox.claim(hold.delivery.pk) is None


def _claimed(whole: Copied) -> inbox.Hold:
    row = DeliveryFactory.create(connection=whole.connection, state="queued")
    hold = inbox.claim(row.pk)
    assert hold
    return hold


def test_bitbucket_s_trouble_is_waited_out(
    whole: Copied, place: Any, sandbox: Sandbox, settings: Settings
) -> None:
    settings.DELIVERY_RETRY_DELAYS = [600]
    one = opened(place)
    sandbox.faults.add("/pullrequests/", status=503)

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert (row.state, row.outcome, row.tries) == ("queued", "retry", 1)
    assert row.resume_at
    assert row.resume_at > now() + timedelta(seconds=500)
    Delivery.objects.update(resume_at=now() - timedelta(seconds=1))
    following.follow(row.pk)
    row.refresh_from_db()
    assert (row.state, row.outcome) == ("failed", "failed")
    assert row.error
    assert row.error["retryable"]


def test_a_refused_secret_is_set_aside(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one = opened(place)
    sandbox.change.revoke(whole.token)

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert (row.state, row.error and row.error["code"]) == ("failed", "invalid_credentials")
    assert Credential.objects.get().status == Credential.Status.INVALID


def test_beside_a_sync_that_runs(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    """One unfinished sync of a connection does not keep its deliveries waiting."""
    one = opened(place)
    sandbox.change.pull_request(*at(place), one.id, title="Beside it")
    sync = whole.start()
    Sync.objects.filter(pk=sync.pk).update(
        state=State.WAITING, resume_at=now() + timedelta(hours=1)
    )

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert ended(row) == ("done", "changed")
    assert PullRequest.objects.filter(title="Beside it").exists()


def test_killed_on_its_way_it_is_taken_up_again(whole: Copied, place: Any) -> None:
    one = opened(place)
    hold = _claimed(whole)
    Delivery.objects.update(
        lease_until=now() - timedelta(seconds=1),
        event="pullrequest:updated",
        body=json.dumps(about(place, one.id, one.updated_on)),
    )

    assert send_due() == 1
    following.follow(hold.delivery.pk)

    assert ended(Delivery.objects.get()) == ("done", "unchanged")


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
