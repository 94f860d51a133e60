"""What is here is compared with what Bitbucket counts, and what is missing fetched."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from ingestion import engine
from ingestion.models import (
    COMPARISON,
    Comment,
    Coverage,
    Event,
    PullRequest,
    Quota,
    QuotaBucket,
    Review,
    State,
    Sync,
)
from ingestion.selectors.comparison import comparison_of
from ingestion.selectors.coverage import coverage_of
from ingestion.services.comparing import compare, fetch_missing
from tenants.actor import Actor
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale

BY = Actor.system()


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=5, pipelines=2, people=3)


def compared(copied: Copied) -> Sync:
    return engine.run_to_end(compare(connection=copied.connection, by=BY).pk)


def told(copied: Copied) -> dict[str, tuple[int, ...]]:
    """Ours, theirs, missing, more and twice of each stream."""
    return {
        one.label: (one.ours, one.theirs, one.missing, one.more, one.twice)
        for one in comparison_of(copied.connection).streams
    }


def lose(pull_requests: Any) -> None:
    """Delete rows by the back door, with what hangs on them."""
    for model in (Review, Event, Comment):
        model._default_manager.filter(pull_request__in=list(pull_requests)).delete()
    pull_requests.delete()


def test_all_that_bitbucket_counts_is_here(copied: Copied) -> None:
    sync = compared(copied)

    assert sync.state == State.SUCCEEDED, sync.error
    assert told(copied) == {"Pull requests": (10, 10, 0, 0, 0), "Pipelines": (4, 4, 0, 0, 0)}
    row = sync.stream_runs.get(stream=COMPARISON, repository=None)
    assert (row.state, row.done, row.total, row.requests) == (State.SUCCEEDED, 2, 2, 4)
    assert {one.stream for one in coverage_of(copied.connection)}.isdisjoint({COMPARISON})


def test_what_is_missing_is_counted_and_fetched(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    before, live = all_rows(), Comment.objects.filter(is_deleted=False).count()
    lose(PullRequest.objects.filter(repository__slug="api", number__in=(2, 4, 5)))

    compared(copied)

    assert told(copied) == {"Pull requests": (7, 10, 3, 0, 0), "Pipelines": (4, 4, 0, 0, 0)}
    found = comparison_of(copied.connection)
    assert [(one.repository, one.missing) for one in found.differing] == [("acme/api", 3)]

    sync = fetch_missing(connection=copied.connection, by=BY)

    assert sync
    assert engine.run_to_end(sync.pk).state == State.SUCCEEDED
    assert told(copied) == {"Pull requests": (10, 10, 0, 0, 0), "Pipelines": (4, 4, 0, 0, 0)}
    after = all_rows()
    # Their lists of comments were read in full, which names deleted ones too; the feed does not.
    assert set(map(repr, before.pop("Comment"))) <= set(map(repr, after.pop("Comment")))
    assert Comment.objects.filter(is_deleted=False).count() == live
    assert after == before
    assert fetch_missing(connection=copied.connection, by=BY) is None


def test_what_came_after_the_walk_is_not_missing(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    answer = sandbox.faults.add(r"pagelen=1$|pagelen=1&", status=503, times=1)
    copied.connection.refresh_from_db()

    sync = compared(copied)  # pauses before the count; meanwhile the work at Bitbucket goes on
    sandbox.faults.remove(answer)

    assert sync.state == State.PARTIAL
    sandbox.change.new_pull_request("acme", "api")
    compared(copied)
    ours, theirs, missing, *_ = told(copied)["Pull requests"]
    assert (missing, theirs) == (0, ours)


def test_what_bitbucket_lost_is_more(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    del sandbox.world.workspaces["acme"].repositories["api"].pull_requests[2]
    sandbox.site.changed()

    compared(copied)

    assert told(copied)["Pull requests"] == (10, 9, 0, 1, 0)


def test_pipelines_of_a_history_window_cannot_be_counted(copied: Copied) -> None:
    since = (now() - timedelta(days=3650)).date().isoformat()
    copied.connection.selection = {**copied.connection.selection, "since": since}
    copied.connection.save()

    sync = compared(copied)

    assert sync.state == State.SUCCEEDED, sync.error
    assert set(told(copied)) == {"Pull requests"}


@pytest.mark.parametrize(("days", "left", "counts"), [(8, 1, 2), (0, 1, 0), (8, 0.4, 0)])
def test_once_a_week_from_spare_quota(
    copied: Copied, sandbox: Sandbox, settings: Any, days: int, left: float, counts: int
) -> None:
    compared(copied)
    ago = now() - timedelta(days=days) + timedelta(minutes=1)
    for row in Coverage.objects.exclude(comparison=None):
        row.comparison = {**(row.comparison or {}), "at": ago.isoformat()}
        row.save()
    spend(copied, settings, left)
    begun = len(sandbox.requests)

    sync = copied.start()
    Sync.objects.filter(pk=sync.pk).update(trigger=Sync.Trigger.SCHEDULE)
    assert engine.run_to_end(sync.pk).state == State.SUCCEEDED

    assert sum("pagelen=1&" in f"{one.query}&" for one in sandbox.requests[begun:]) == counts


def spend(copied: Copied, settings: Any, left: float) -> None:
    """Leave so much of the window."""
    Quota.objects.all().delete()
    quota = Quota.objects.create(subject="subject", limit=100_000)
    copied.credential.quota_subject = "subject"
    copied.credential.save()
    QuotaBucket.objects.create(
        quota=quota, starts_at=now() - timedelta(minutes=5), booked=round(100_000 * (1 - left))
    )
