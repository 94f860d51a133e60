"""Whatever goes wrong, and whatever changes meanwhile: in the end the rows are Bitbucket's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import F
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from connections.models import Connection
from ingestion import engine
from ingestion.models import (
    Comment,
    Commit,
    Coverage,
    PipelineRun,
    PullRequest,
    Repository,
    Review,
    State,
)
from ingestion.quota import forget_lots
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_commits import reachable
from tests.ingestion.engine.test_interruptions import Killed, is_fence
from tests.sandbox import Sandbox, Scale

SCALE = Scale(repositories=3, pull_requests=6, pipelines=4, people=4)
STREAMS = ("pull_request_activity", "pull_request_comments", "pipelines", "commits")
Change = Callable[[Sandbox], object]


def _in(slug: str, name: str, *rest: Any, **more: Any) -> Change:
    """A change in a repository; none where what it would change is not there any more."""

    def happen(sandbox: Sandbox) -> None:
        with suppress(KeyError):
            getattr(sandbox.change, name)("acme", slug, *rest, **more)

    return happen


def _edit(sandbox: Sandbox) -> None:
    """Somebody writes more into the oldest comment of a pull request."""
    comments = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[4].comments
    for said in [one for one in comments if not one.deleted][:1]:
        sandbox.change.edit_comment("acme", "api", 4, said.id, raw=f"{said.raw} And more.")


CHANGES: dict[str, Change] = {
    "a comment": _in("api", "comment", 2),
    "a comment is edited": _edit,
    "a comment is deleted": _in("api", "delete_comment", 2),
    "a comment vanishes": _in("api", "delete_comment", 2, vanish=True),
    "an approval": _in("api", "approve", 3),
    "an approval is withdrawn": _in("api", "unapprove", 3),
    "a push": _in("api", "push", 5),
    "a merge": _in("api", "merge", 6),
    "a new pull request": _in("api", "new_pull_request"),
    "a push to the main branch": _in("api", "push_main"),
    "a force-push": _in("api", "force_push_main"),
    "a pipeline runs": _in("api", "new_pipeline"),
    "a pipeline runs again": _in("api", "rerun_pipeline", 2),
    "a repository is renamed": _in("web", "rename_repository", "site"),
    "a repository is new": _in("tools", "new_repository"),
    "a repository is deleted": _in("billing", "delete_repository"),
}
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "429": {"kind": "429"},
    "cut": {"kind": "cut"},
    "half an answer": {"kind": "truncated"},
    "a login page": {"kind": "html"},
    "a page without its end": {"kind": "short_page", "only_pages": True},
    "an empty page": {"kind": "empty_page", "only_pages": True},
}
changes = st.lists(st.sampled_from(sorted(CHANGES)), max_size=3)
moments = st.integers(2, 9)
rounds = st.fixed_dictionaries(
    {
        "before": changes,
        "fault": st.none() | st.sampled_from(sorted(FAULTS)),
        "after": st.integers(0, 14),
        "times": st.integers(1, 3),
        "during": st.dictionaries(
            moments, st.sampled_from(["killed", *sorted(CHANGES)]), max_size=2
        ),
    }
)


@pytest.fixture
def scale() -> Scale:
    return SCALE


@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(rounds, min_size=1, max_size=2))
def test_in_the_end_the_rows_are_those_of_bitbucket(
    connect: Callable[..., Copied],
    sandbox: Sandbox,
    settings: Settings,
    story: list[dict[str, Any]],
) -> None:
    settings.QUOTA_WINDOW = 6  # so that what a 429 blocks is free again at once
    sandbox.reset(scale=SCALE)
    sandbox.quota.limit = 100_000
    Connection.objects.all().delete()
    forget_lots()
    copied = connect().choose(*STREAMS)

    for part in story:
        _live_through(copied, sandbox, part)
    Coverage.objects.update(looked_back_at=F("looked_back_at") - timedelta(hours=25))
    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, (sync.error, sync.counts)
    assert here() == there(sandbox)


def _live_through(copied: Copied, sandbox: Sandbox, part: dict[str, Any]) -> None:
    """One sync, with what happens before it and on its way; a killed one is taken up again."""
    for name in part["before"]:
        CHANGES[name](sandbox)
    if part["fault"]:
        told = {"path": r"^/2\.0/", "after": part["after"], "times": part["times"]}
        sandbox.faults.add(**{**told, **FAULTS[part["fault"]]})
    sync = copied.start()
    with _happening(part["during"], sandbox), suppress(Killed):
        engine.run_to_end(sync.pk)
    sync.refresh_from_db()
    if sync.state == State.RUNNING:
        type(sync).objects.filter(pk=sync.pk).update(lease_until=sync.created_at)
    engine.run_to_end(sync.pk)
    sandbox.faults.clear()


@contextmanager
def _happening(during: dict[int, str], sandbox: Sandbox) -> Iterator[None]:
    """Things happen as the n-th transaction of the walk begins."""
    begun = 0

    def strike(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal begun
        if is_fence(sql):
            begun += 1
            if during.get(begun) == "killed":
                raise Killed
            if begun in during:
                CHANGES[during[begun]](sandbox)
        return execute(sql, *rest)

    with database.execute_wrapper(strike):
        yield


def here() -> dict[str, Any]:
    """What is stored and was not taken away, by the uuids of the repositories that are there."""
    live = {"removed_at": None, "repository__removed_at": None}
    mine = PullRequest.objects.filter(**live)
    said = Comment.objects.filter(**live, is_deleted=False)
    reviews = Review.objects.filter(**live, is_approved=True)
    runs = PipelineRun.objects.filter(**live)
    commits = Commit.objects.filter(**live)
    at = "repository__uuid"
    return {
        "repositories": set(Repository.objects.filter(removed_at=None).values_list("uuid", "slug")),
        "pull requests": set(
            mine.values_list(at, "number", "title", "state", "updated_on", "source_commit")
        ),
        "comments": set(said.values_list(at, "pull_request__number", "number", "content")),
        "approvals": set(reviews.values_list(at, "pull_request__number", "person__uuid")),
        "pipelines": set(runs.values_list(at, "uuid", "run_number", "result")),
        "commits": set(commits.values_list(at, "hash")),
    }


def there(sandbox: Sandbox) -> dict[str, Any]:
    """The same of the simulated Bitbucket."""
    places = sandbox.world.workspaces["acme"].repositories.values()
    requests = [(one.uuid, pr) for one in places for pr in one.pull_requests.values()]
    return {
        "repositories": {(one.uuid, one.slug) for one in places},
        "pull requests": {
            (uuid, pr.id, pr.title, pr.state, pr.updated_on, pr.source_hash[:12])
            for uuid, pr in requests
        },
        "comments": {
            (uuid, pr.id, said.id, said.raw)
            for uuid, pr in requests
            for said in pr.comments
            if not said.deleted
        },
        "approvals": {
            (uuid, pr.id, part.person.uuid)
            for uuid, pr in requests
            for part in pr.participants
            if part.approved and part.person
        },
        "pipelines": {
            (one.uuid, run.uuid, run.run_number, run.result or run.stage or "")
            for one in places
            for run in one.pipelines.values()
        },
        "commits": {(one.uuid, commit) for one in places for commit in reachable(one)},
    }
