"""Deliveries that are not followed, or not yet: needless, waiting, lost, in trouble."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.models import Connection, Credential
from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose
from ingestion.engine import following, inbox
from ingestion.engine.errors import Lost
from ingestion.models import (
    Delivery,
    PullRequest,
    Quota,
    Repository,
    State,
    Sync,
)
from ingestion.quota import Ledger, forget_lots, usage
from ingestion.services.deliveries import replay, send_due
from ingestion.services.syncs import ConnectionNotReady
from tenants.actor import Actor
from tests.factories import DeliveryFactory
from tests.hooks import about_push, about_repository
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.delivering import about, at, deliver, ended, opened, place, scale, whole
from tests.sandbox import Sandbox

__all__ = ("place", "scale", "whole")


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


def test_what_is_being_fetched_is_not_begun_again(whole: Copied) -> None:
    row = DeliveryFactory.create(connection=whole.connection, state="running")

    assert replay(delivery=row, by=Actor.system()).replays == 0


def test_nothing_is_replayed_while_the_connection_is_paused(whole: Copied) -> None:
    row = DeliveryFactory.create(connection=whole.connection)
    Connection.objects.update(status=Connection.Status.DISABLED)
    with pytest.raises(ConnectionNotReady):
        replay(delivery=row, by=Actor.system())


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
        ("repo:created", {"repository": {"uuid": ".."}}),
        ("repo:created", {"repository": {"uuid": "{a}/../{b}"}}),
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


def test_paused_on_its_way_it_waits(whole: Copied, place: Any, sandbox: Sandbox) -> None:
    one, asked = opened(place), len(sandbox.requests)
    sandbox.change.pull_request(*at(place), one.id, title="While it is paused")

    def pause(execute: Any, *statement: Any) -> Any:
        if len(sandbox.requests) > asked and not paused:
            paused.append(True)
            Connection.objects.update(status=Connection.Status.DISABLED)
        return execute(*statement)

    paused: list[bool] = []
    with database.execute_wrapper(pause):
        row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert paused
    assert (row.state, row.lease_until) == ("queued", None)
    assert not PullRequest.objects.filter(title="While it is paused").exists()


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


def test_is_fetched_with_what_is_kept_from_syncs_of_the_schedule(
    whole: Copied, place: Any, sandbox: Sandbox, settings: Settings
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = 1_000
    Quota.objects.update(limit=1_000, learned_limit=1_000)
    forget_lots()
    subject, ledger = Quota.objects.get().subject, Ledger()
    while usage(subject).used < 920:
        ledger.take(subject, purpose=Purpose.VERIFY)
    with pytest.raises(QuotaExhausted):
        ledger.take(subject, purpose=Purpose.SCHEDULE)
    one = opened(place)

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert ended(row) == ("done", "unchanged")


def test_waits_for_quota_without_a_worker(
    whole: Copied, place: Any, sandbox: Sandbox, settings: Settings
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = 10
    Quota.objects.update(limit=10, learned_limit=10)
    forget_lots()
    one, asked = opened(place), len(sandbox.requests)

    row = deliver(whole, "pullrequest:updated", about(place, one.id, one.updated_on))

    assert (row.state, row.outcome, row.tries) == ("queued", "quota", 0)
    assert row.resume_at
    assert row.resume_at > now()
    assert len(sandbox.requests) == asked
    assert send_due() == 0


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
