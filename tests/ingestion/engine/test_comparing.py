"""What is here is compared with what Bitbucket counts, and what is missing fetched."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import Model
from django.utils.timezone import now

from connections.models import Connection
from ingestion import engine
from ingestion.models import (
    COMPARISON,
    Comment,
    Commit,
    Coverage,
    Deployment,
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
from ingestion.selectors.comparison import comparison_of
from ingestion.selectors.coverage import coverage_of
from ingestion.services import schedule
from ingestion.services.comparing import compare, fetch_missing
from ingestion.services.retries import retry_sync
from tenants.actor import Actor
from tests.factories import CredentialFactory
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale

BY = Actor.system()
HERE = {
    "Repositories": (6, 6, 0, 0, 0),
    "People": (80, 80, 0, 0, 0),
    "Pull requests": (30, 30, 0, 0, 0),
    "Pull request comments": (30, 30, 0, 0, 0),
    "Pipelines": (24, 24, 0, 0, 0),
    "Deployments": (12, 12, 0, 0, 0),
    "Commits": (120, 120, 0, 0, 0),
}


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=6, pull_requests=5, pipelines=4, people=80)


@pytest.fixture
def whole(copied: Copied) -> Copied:
    """Everything that can be copied, once."""
    assert copied.choose(*EVERYTHING).sync().state == State.SUCCEEDED
    return copied


def compared(copied: Copied) -> Sync:
    return engine.run_to_end(compare(connection=copied.connection, trigger="person", by=BY).pk)


def fetched(copied: Copied) -> Sync:
    sync = fetch_missing(connection=copied.connection, trigger="person", by=BY)
    assert sync
    return engine.run_to_end(sync.pk)


def told(copied: Copied) -> dict[str, tuple[int, ...]]:
    """Ours, theirs, missing, more and twice of each stream."""
    return {
        one.label: (one.ours, one.theirs, one.missing, one.more, one.twice)
        for one in comparison_of(copied.connection).streams
    }


def delete(rows: Any) -> None:
    """Delete rows by the back door, with what hangs on them."""
    keys = list(rows.values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=keys).delete()


def in_three_repositories(model: type[Model], **which: Any) -> Any:
    """The first row of each of three repositories."""
    rows = model._default_manager.filter(**which).order_by("pk")
    chosen = Repository.objects.order_by("pk").values_list("pk", flat=True)[:3]
    return rows.filter(pk__in=[rows.filter(repository=one)[0].pk for one in chosen])


def three_members() -> Any:
    """Members whom no other record names: the database would not let them go."""
    free = Person.objects.filter(is_member=True).order_by("pk")
    for model, name in WRITERS:
        free = free.exclude(pk__in=model._default_manager.exclude(**{name: None}).values(name))
    return Person.objects.filter(pk__in=list(free.values_list("pk", flat=True)[:3]))


def three_pull_requests() -> Any:
    return PullRequest.objects.filter(repository__slug="api", number__in=(2, 4, 5))


WRITERS: tuple[tuple[type[Model], str], ...] = (
    (PullRequest, "author"),
    (PullRequest, "closed_by"),
    (Review, "person"),
    (Event, "person"),
    (Comment, "author"),
    (PipelineRun, "creator"),
    (Commit, "author"),
)
# What is lost, and how many requests at most bring it back and count it again.
LOST: dict[str, tuple[Callable[[], Any], int]] = {
    "Repositories": (lambda: Repository.objects.filter(slug__in=("api", "web", "billing")), 70),
    "People": (three_members, 3),
    "Pull requests": (three_pull_requests, 12),
    "Pull request comments": (partial(in_three_repositories, Comment, is_deleted=False), 12),
    "Pipelines": (partial(in_three_repositories, PipelineRun), 18),
    "Deployments": (partial(in_three_repositories, Deployment), 18),
    "Commits": (partial(in_three_repositories, Commit), 15),
}


def test_all_that_bitbucket_counts_is_here(whole: Copied, sandbox: Sandbox) -> None:
    begun = len(sandbox.requests)
    before = Connection.objects.get().last_synced_at

    sync = compared(whole)

    assert sync.state == State.SUCCEEDED, sync.error
    assert told(whole) == HERE
    assert comparison_of(whole.connection).uncounted == ["Pull request history", "Pipeline steps"]
    row = sync.stream_runs.get(repository=None)
    assert (row.stream, row.state, row.done, row.total) == (COMPARISON, State.SUCCEEDED, 6, 6)
    assert len(sandbox.requests) - begun == row.requests == 2 + 6 * 3
    assert Connection.objects.get().last_synced_at == before  # nothing was copied
    assert {one.stream for one in coverage_of(whole.connection)}.isdisjoint({COMPARISON})


@pytest.mark.parametrize("label", LOST)
def test_three_that_are_lost_are_counted_and_fetched(
    whole: Copied, sandbox: Sandbox, label: str
) -> None:
    find, most = LOST[label]
    before = all_rows()
    lost = find()
    assert lost.count() == 3
    delete(lost)

    compared(whole)

    there = HERE[label][0]
    assert told(whole)[label] == (there - 3, there, 3, 0, 0)
    begun = len(sandbox.requests)
    assert fetched(whole).state == State.SUCCEEDED
    assert len(sandbox.requests) - begun <= most
    assert told(whole) == HERE
    assert_same(all_rows(), before)
    assert fetch_missing(connection=whole.connection, trigger="person", by=BY) is None


def assert_same(after: dict[str, Any], before: dict[str, Any]) -> None:
    """The same rows. A list of comments that was read in full names deleted ones too, and the feed
    does not.
    """
    live, here = before.pop("Comment"), after.pop("Comment")
    assert set(map(repr, live)) <= set(map(repr, here))
    assert after == before


def test_fetching_asks_of_no_other_repository(whole: Copied, sandbox: Sandbox) -> None:
    delete(three_pull_requests())
    compared(whole)
    found = comparison_of(whole.connection)
    assert [(one.repository, one.missing) for one in found.differing][:1] == [("acme/api", 3)]
    begun = len(sandbox.requests)

    fetched(whole)

    uuid = Repository.objects.get(slug="api").uuid[1:-1]
    assert all(uuid in one.path for one in sandbox.requests[begun:])


def test_comparison_that_fails_is_tried_again_alone(whole: Copied, sandbox: Sandbox) -> None:
    api, web = (Repository.objects.get(slug=slug).uuid[1:-1] for slug in ("api", "web"))
    fault = sandbox.faults.add(rf"{api}%7D/pullrequests", status=503)
    failed = compared(whole)
    sandbox.faults.remove(fault)
    begun = len(sandbox.requests)

    again = engine.run_to_end(retry_sync(sync=failed, trigger="person", by=BY).pk)

    assert (failed.state, again.state) == (State.PARTIAL, State.SUCCEEDED)
    asked = [one.path for one in sandbox.requests[begun:]]
    assert any(api in path for path in asked)
    assert not any(web in path for path in asked)


def test_what_came_after_the_last_sync_is_not_missing(whole: Copied, sandbox: Sandbox) -> None:
    sandbox.change.new_pull_request("acme", "api")
    sandbox.change.new_repository("acme", "fresh")

    compared(whole)

    assert told(whole) == HERE


def test_what_bitbucket_lost_is_more(whole: Copied, sandbox: Sandbox) -> None:
    del sandbox.world.workspaces["acme"].repositories["api"].pull_requests[2]
    sandbox.site.changed()

    compared(whole)

    assert told(whole)["Pull requests"] == (30, 29, 0, 1, 0)


def test_in_a_history_window_runs_and_commits_cannot_be_counted(copied: Copied) -> None:
    since = (now() - timedelta(days=3650)).date().isoformat()
    copied.connection.selection = {**copied.connection.selection, "since": since}
    copied.choose(*EVERYTHING).sync()

    sync = compared(copied)

    assert sync.state == State.SUCCEEDED, sync.error
    assert set(HERE) - set(told(copied)) == {"Pipelines", "Commits"}


def test_several_credentials_count_no_repositories(whole: Copied, sandbox: Sandbox) -> None:
    other = sandbox.tokens.workspace("acme")
    CredentialFactory.create(connection=whole.connection, secrets={"api_token": other})

    compared(whole)

    assert "Repositories" not in told(whole)
    assert told(whole)["Pull requests"] == HERE["Pull requests"]


@pytest.mark.parametrize(("days", "left", "counts"), [(8, 1, 6), (0, 1, 0), (8, 0.4, 0)])
def test_once_a_week_from_spare_quota(
    whole: Copied, sandbox: Sandbox, settings: Any, days: int, left: float, counts: int
) -> None:
    compared(whole)
    ago = now() - timedelta(days=days) + timedelta(minutes=1)
    for row in Coverage.objects.exclude(comparison=None):
        row.comparison = {**(row.comparison or {}), "at": ago.isoformat()}
        row.save()
    spend(whole, left)
    delete(three_pull_requests())
    Connection.objects.update(
        schedule={"kind": "every", "minutes": 60}, next_sync_at=now() - timedelta(seconds=1)
    )
    begun = len(sandbox.requests)

    schedule.tick()
    sync = engine.run_to_end(Sync.objects.get(trigger="schedule").pk)

    assert sync.state == State.SUCCEEDED, sync.error
    asked = [one for one in sandbox.requests[begun:] if "/pullrequests" in one.path]
    assert sum("pagelen=1" in one.query.split("&") for one in asked) == counts
    assert told(whole)["Pull requests"][2] == (3 if counts else 0)


def spend(copied: Copied, left: float) -> None:
    """Leave so much of the window."""
    Quota.objects.all().delete()
    quota = Quota.objects.create(subject="subject", limit=100_000)
    copied.credential.quota_subject = "subject"
    copied.credential.save()
    QuotaBucket.objects.create(
        quota=quota, starts_at=now() - timedelta(minutes=5), booked=round(100_000 * (1 - left))
    )
