"""A day of a workspace that is too large for its quota: 1,400 repositories on one token, where a
window of 1,000 requests and all else is a fiftieth. Turns are counted, not time: an hour passes
between two syncs by moving Bitbucket's clock and theirs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from ingestion import engine
from ingestion.estimates import estimate_of
from ingestion.models import Coverage, PullRequest, QuotaBucket, State, Sync
from ingestion.quota import forget_lots
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime(2016, 1, 1, tzinfo=UTC)  # so that an estimate expects nothing either
REPOSITORIES, LIMIT = 1400 // 50, 1000 // 50
CHANGED = 2
STREAMS = ("pull_requests", "pipelines")


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=REPOSITORIES, pull_requests=1, pipelines=1, people=3)


@pytest.fixture
def quiet(copied: Copied, sandbox: Sandbox, settings: Any) -> Iterator[Copied]:
    """All of it was read two days ago, and nothing has moved for long."""
    for repository in sandbox.world.workspaces["acme"].repositories.values():
        repository.updated_on = LONG_AGO
        for one in repository.pull_requests.values():
            one.state, one.created_on, one.updated_on = "MERGED", LONG_AGO, LONG_AGO
    sandbox.site.changed()
    sandbox.clock.advance(-2 * DAY.total_seconds())
    copied.connection.schedule = {"kind": "every", "minutes": 60}
    copied.connection.save()
    assert copied.sync().state == State.SUCCEEDED
    cache.clear()
    estimate_of(copied.connection)  # what it measures is kept for an hour
    sandbox.quota.limit = settings.QUOTA_LIMIT = LIMIT
    yield copied
    sandbox.clock.reset()


class Day:
    """Syncs of a connection, each an hour after the one before."""

    def __init__(self, copied: Copied, sandbox: Sandbox) -> None:
        self._copied, self._sandbox = copied, sandbox
        self.requests: list[int] = []
        self.oldest: list[timedelta] = []  # behind each sync, how old the data were

    def hour(self) -> None:
        self._sandbox.clock.advance(HOUR.total_seconds())
        self._sandbox.quota.clear()
        QuotaBucket.objects.all().delete()
        forget_lots()
        moment = self._sandbox.clock.now()
        sync = self._copied.start(streams=list(STREAMS))
        Sync.objects.filter(pk=sync.pk).update(created_at=moment, trigger="schedule")
        done = engine.run_to_end(sync.pk)
        assert done.state == State.SUCCEEDED, done.error
        asked = Coverage.objects.filter(stream__in=STREAMS)
        self.requests.append(done.requests)
        self.oldest.append(moment - min(asked.values_list("complete_as_of", flat=True)))


def test_every_repository_is_complete_within_a_day(quiet: Copied, sandbox: Sandbox) -> None:
    day = Day(quiet, sandbox)
    here = PullRequest.objects.count()
    for hour in range(24):
        if hour == 1:
            change_without_a_sign(sandbox)
        day.hour()

    assert max(day.requests) <= LIMIT * 9 // 10
    assert max(day.oldest) <= DAY
    assert PullRequest.objects.count() == here + CHANGED


def test_the_estimate_foretells_what_quiet_days_cost(quiet: Copied, sandbox: Sandbox) -> None:
    told = estimate_of(quiet.connection)
    foretold = told.again(1).by_stream
    day = Day(quiet, sandbox)
    for _ in range(2 * 24):  # every repository has two turns, and looks back in one of them
        day.hour()

    assert told.fits(1)
    each = sum(day.requests) / len(day.requests)
    assert each == pytest.approx(sum(foretold[one] for one in ("repositories", *STREAMS)), rel=0.2)


def change_without_a_sign(sandbox: Sandbox) -> None:
    """A pull request more in some repositories, none of which shows that it moved."""
    repositories = sandbox.world.workspaces["acme"].repositories
    for slug in list(repositories)[:CHANGED]:
        made = sandbox.change.new_pull_request("acme", slug)
        made.state, repositories[slug].updated_on = "MERGED", LONG_AGO
    sandbox.site.changed()
