"""A sync of a large workspace visits what shows signs of change, and the others in turn."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from ingestion.engine.rotation import has_turn
from ingestion.models import Coverage, Delivery, PullRequest, Quota, Repository, State
from ingestion.selectors.freshness import freshness_of
from tests.factories import DeliveryFactory
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=8, pull_requests=1, pipelines=1, people=3)


@pytest.fixture
def large(copied: Copied, sandbox: Sandbox) -> Copied:
    """A connection whose repositories cost too much of its quota to visit all in each sync; all
    were visited a moment ago, and nothing moves in them.
    """
    copied.connection.schedule = {"kind": "every", "minutes": 60}
    copied.connection.save()
    copied.sync()
    # A pass costs sixteen requests; the sandbox tells the limit with each answer.
    sandbox.quota.limit = 16 * 5 - 1
    sandbox.quota.clear()
    Quota.objects.all().delete()
    Quota.objects.create(subject="subject", limit=sandbox.quota.limit)
    copied.credential.quota_subject = "subject"
    copied.credential.save()
    PullRequest.objects.update(state="MERGED", updated_on=LONG_AGO)
    Coverage.objects.update(complete_as_of=now() + HOUR)
    return copied


def visited(sandbox: Sandbox, begun: int) -> set[str]:
    """The repositories whose pull requests were asked for."""
    asked = [one.path for one in sandbox.requests[begun:] if "/pullrequests" in one.path]
    rows = Repository.objects.values_list("slug", "uuid")
    return {slug for slug, uuid in rows if any(uuid[1:-1] in path for path in asked)}


def sync(copied: Copied, sandbox: Sandbox) -> set[str]:
    begun = len(sandbox.requests)
    done = copied.sync()
    assert done.state == State.SUCCEEDED, done.error
    return visited(sandbox, begun)


def test_quiet_repositories_wait_for_their_turn(large: Copied, sandbox: Sandbox) -> None:
    assert sync(large, sandbox) == set()

    assert freshness_of([large.connection])[large.connection.pk].allowed == DAY + HOUR


def test_signs_of_change_are_followed(large: Copied, sandbox: Sandbox) -> None:
    one, other, third = Repository.objects.order_by("pk")[:3]
    Coverage.objects.filter(repository=one).update(complete_as_of=LONG_AGO)  # moved since
    PullRequest.objects.filter(repository=other).update(state="OPEN")
    PullRequest.objects.filter(repository=third).update(updated_on=now() - DAY)

    assert sync(large, sandbox) == {one.slug, other.slug, third.slug}


def test_deliveries_of_webhooks_come_first(
    large: Copied, sandbox: Sandbox, settings: Settings
) -> None:
    settings.SYNC_FETCHERS = 1
    moved, told = Repository.objects.order_by("pk")[:2]
    Coverage.objects.filter(repository=moved).update(complete_as_of=LONG_AGO)
    DeliveryFactory.create(connection=large.connection, repository_uuid=told.uuid)

    assert sync(large, sandbox) == {moved.slug}, "it was visited since"

    Coverage.objects.filter(repository=moved).update(complete_as_of=LONG_AGO)
    Delivery.objects.update(received_at=now() + 2 * HOUR)
    begun = len(sandbox.requests)
    assert sync(large, sandbox) == {moved.slug, told.slug}
    paths = [one.path for one in sandbox.requests[begun:] if "/pullrequests" in one.path]
    assert told.uuid[1:-1] in paths[0]


def test_missing_stretch_and_unfinished_walk_are_signs(large: Copied, sandbox: Sandbox) -> None:
    one, other = Repository.objects.order_by("pk")[:2]
    Coverage.objects.filter(repository=one, stream="pipelines").update(gap={"code": "x"})
    Coverage.objects.filter(repository=other, stream="pull_requests").update(complete_as_of=None)

    assert sync(large, sandbox) == {one.slug, other.slug}


def test_everything_again_visits_all(large: Copied, sandbox: Sandbox) -> None:
    begun = len(sandbox.requests)

    large.sync("full")

    assert len(visited(sandbox, begun)) == 8


def test_one_request_less_and_all_are_visited(large: Copied, sandbox: Sandbox) -> None:
    Quota.objects.update(limit=16 * 5)
    sandbox.quota.limit = 16 * 5

    assert len(sync(large, sandbox)) == 8


def test_all_that_changes_is_here_after_a_day(large: Copied, sandbox: Sandbox) -> None:
    for repository in list(sandbox.world.workspaces["acme"].repositories)[:4]:
        sandbox.change.new_pull_request("acme", repository)
    Coverage.objects.update(complete_as_of=now() - DAY)

    sync(large, sandbox)

    assert PullRequest.objects.count() == 12
    before = all_rows()
    sandbox.quota.limit = 10_000
    large.sync("full")
    assert all_rows()["PullRequest"] == before["PullRequest"]


@pytest.mark.parametrize("minutes", [5, 60, 360])
def test_each_has_a_turn_within_a_day(minutes: int) -> None:
    interval = timedelta(minutes=minutes)
    keys, start = range(1, 1401), datetime(2026, 3, 1, tzinfo=UTC)
    last, gaps, busy = dict.fromkeys(keys, start), timedelta(0), []
    for number in range(1, int(3 * DAY / interval) + 1):
        moment = start + number * interval
        due = [key for key in keys if has_turn(key, last[key], moment, DAY - interval)]
        gaps = max([gaps, *(moment - last[key] for key in due)])
        last.update(dict.fromkeys(due, moment))
        busy.append(len(due))

    assert gaps <= DAY
    assert oldest(last.values(), moment) <= DAY
    even = 1400 * interval / (DAY - interval)
    assert max(busy) <= even * 1.1 + 3


def oldest(moments: Iterable[datetime], moment: datetime) -> Any:
    return max(moment - one for one in moments)
