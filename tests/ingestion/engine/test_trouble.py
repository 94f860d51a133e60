"""Bitbucket answers nonsense, refuses, or is empty: a sentence, and what was complete stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import before_task_publish

from connections.dispatch import VERIFY_CREDENTIAL
from connections.models import Connection, Credential
from ingestion import engine
from ingestion.engine.slice import WALKS
from ingestion.models import (
    Comment,
    Coverage,
    PipelineRun,
    PullRequest,
    RejectedRow,
    Repository,
    State,
    StreamRun,
    Sync,
)
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import TABLES, all_rows, count
from tests.sandbox import Sandbox

NONSENSE = ["html", "truncated", "wrong_type", "555", "410", "cut"]


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_from_one_endpoint_leaves_the_rest_complete(
    copied: Copied, sandbox: Sandbox, kind: str
) -> None:
    sandbox.faults.add(r"/api/pipelines|/pipelines\?", kind=kind)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert PullRequest.objects.count() == 120
    runs = {run.stream: run for run in sync.stream_runs.filter(repository=None)}
    assert runs["pipelines"].state == State.FAILED
    assert runs["pull_request_comments"].state == State.SUCCEEDED
    error = runs["pipelines"].error
    assert error
    assert error["message"].startswith("Bitbucket")
    assert error == sync.error


def test_nonsense_keeps_what_was_there(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    before = all_rows()
    sandbox.faults.add(r"/2.0/", kind="html")

    sync = copied.sync()

    assert sync.state == State.FAILED
    assert sync.error
    assert "web page" in sync.error["message"]
    assert all_rows() == before


@pytest.mark.parametrize("kind", ["endless_next", "cycling_next"])
@pytest.mark.parametrize(
    "where",
    [r"pullrequests\?", r"pullrequests/activity", r"/members", r"/repositories/[^/]*\?"],
)
def test_listing_without_an_end_is_left(
    copied: Copied, sandbox: Sandbox, where: str, kind: str
) -> None:
    sandbox.faults.add(where, kind=kind)

    sync = copied.sync()

    assert sync.state in (State.PARTIAL, State.FAILED)
    assert sync.error
    assert "no end" in sync.error["message"]
    assert len(sandbox.requests) < 100


def test_one_broken_repository_stops_no_other(copied: Copied, sandbox: Sandbox) -> None:
    web = sandbox.world.workspaces["acme"].repositories["web"]
    sandbox.faults.add(rf"{web.uuid[1:-1]}.*/pullrequests\?", status=500)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    failed = StreamRun.objects.get(sync=sync, state=State.FAILED)
    assert failed.repository
    assert (failed.stream, failed.repository.slug) == ("pull_requests", "web")
    assert PullRequest.objects.filter(repository__slug="api").count() == 60
    gap = Coverage.objects.get(repository__slug="web", stream="pull_requests").gap
    assert gap == failed.error


def test_passing_trouble_is_waited_out(copied: Copied, sandbox: Sandbox, settings: Any) -> None:
    settings.SYNC_RETRY_DELAYS = [0, 0]
    sandbox.faults.add(r"pullrequests\?", status=500, times=2)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert sync.retry_count == 1
    assert PullRequest.objects.count() == 120
    assert not StreamRun.objects.exclude(error=None).exists()


@pytest.mark.parametrize(("delays", "state"), [([3600], State.WAITING), ([], State.PARTIAL)])
def test_silence_is_not_asked_again_by_every_repository(
    copied: Copied, sandbox: Sandbox, settings: Any, delays: list[int], state: State
) -> None:
    settings.SYNC_FETCHERS = 1
    settings.SYNC_RETRY_DELAYS = delays
    sandbox.faults.add(r"/pullrequests\?|/pipelines\?", kind="cut")
    sync = copied.start()

    assert engine.run_slice(sync.pk) == state

    sync.refresh_from_db()
    assert sync.error
    assert sync.error["code"] == "unreachable"
    asked = {r.path for r in sandbox.requests if r.path.endswith(("/pullrequests", "/pipelines"))}
    assert len(asked) == WALKS  # of four: those that were on their way when the first one failed


def test_repositories_that_are_whole_are_not_incomplete_for_the_sake_of_another(
    copied: Copied, sandbox: Sandbox
) -> None:
    web = sandbox.world.workspaces["acme"].repositories["web"]
    sandbox.faults.add(rf"{web.uuid[1:-1]}.*/pipelines", status=404)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    rows = sync.stream_runs.exclude(repository=None).exclude(state=State.SUCCEEDED)
    failed = rows.get()
    assert (failed.stream, failed.state) == ("pipelines", State.FAILED)


def test_waits_for_bitbucket_are_counted_in_a_row(
    copied: Copied, sandbox: Sandbox, settings: Any
) -> None:
    settings.SYNC_RETRY_DELAYS = [0]
    sandbox.faults.add(r"/pullrequests\?", status=500, times=2)
    sandbox.faults.add(r"/pullrequests/activity", status=500, times=2)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert sync.attempt == 3


def test_lasting_trouble_ends_the_sync(copied: Copied, sandbox: Sandbox, settings: Any) -> None:
    settings.SYNC_RETRY_DELAYS = [0, 0]
    sandbox.faults.add(r"pullrequests\?", status=500)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert sync.retry_count == 2
    assert PipelineRun.objects.exists()


def test_empty_listing_of_what_had_rows_is_an_error(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    before = all_rows()
    sandbox.faults.add(r"/pipelines\?", kind="empty_page")

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["code"] == "no_resources"
    messages = {run.error["message"] for run in sync.stream_runs.exclude(error=None) if run.error}
    assert any("acme/api listed 20 pipelines before" in message for message in messages)
    assert all_rows() == before


@pytest.mark.parametrize("where", [r"/pullrequests\?", r"/pullrequests/activity"])
def test_empty_listing_at_first_is_made_good_by_the_next_sync(
    copied: Copied, sandbox: Sandbox, where: str
) -> None:
    copied.sync()
    undisturbed = all_rows()
    for model in (Coverage, *reversed(TABLES)):
        model.objects.all().delete()
    sandbox.faults.add(where, kind="empty_page")
    copied.sync()
    sandbox.faults.clear()

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    healed = all_rows()
    assert set(undisturbed.pop("Comment")) <= set(healed.pop("Comment"))
    assert healed == undisturbed


def test_empty_list_of_repositories_fails_and_removes_nothing(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    sandbox.faults.add(r"/repositories/[^/]*\?", kind="empty_page")

    sync = copied.sync()

    assert sync.state == State.FAILED
    assert Repository.objects.filter(removed_at=None).count() == 2


@pytest.mark.parametrize("kind", ["nul", "surrogate"])
def test_text_that_no_database_takes_is_cleaned(
    copied: Copied, sandbox: Sandbox, kind: str
) -> None:
    sandbox.faults.add(r"pullrequests\?", kind=kind)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert PullRequest.objects.count() == 120
    assert not RejectedRow.objects.exists()


@pytest.mark.parametrize("size", [10**12, 2**63])
def test_size_that_nobody_has_is_passed_by(copied: Copied, sandbox: Sandbox, size: int) -> None:
    sandbox.faults.add(r"/pullrequests\?", body=json.dumps({"size": size, "values": []}))

    sync = copied.sync()

    assert sync.stream_runs.get(stream="pipelines", repository=None).state == State.SUCCEEDED
    assert not sync.stream_runs.filter(expected__gt=1000).exists()


def test_missing_scope_stops_its_stream_alone(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.change.remove_scope(copied.token, "pipeline")

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["missing_scopes"] == ["pipeline"]
    assert PullRequest.objects.count() == 120
    copied.credential.refresh_from_db()
    assert copied.credential.status == Credential.Status.LIMITED


def test_missing_scope_of_pull_requests_stops_what_needs_them(
    copied: Copied, sandbox: Sandbox
) -> None:
    sandbox.change.remove_scope(copied.token, "pullrequest")

    sync = copied.sync()

    runs = {run.stream: run for run in sync.stream_runs.filter(repository=None)}
    for stream in ("pull_requests", "pull_request_activity", "pull_request_comments"):
        assert runs[stream].state == State.FAILED
        assert runs[stream].error
        assert "pullrequest" in runs[stream].error["message"]
    assert runs["pipelines"].state == State.SUCCEEDED
    assert sync.state == State.PARTIAL


def test_comments_are_listed_where_history_is_refused(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/activity", status=403)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests.values()
    here = Comment.objects.filter(repository__slug="api", is_deleted=False)
    assert here.count() == sum(one.comment_count for one in there)
    runs = {run.stream: run for run in sync.stream_runs.filter(repository=None)}
    assert runs["pull_request_activity"].state == State.FAILED
    assert runs["pull_request_comments"].state == State.SUCCEEDED


def test_refused_secret_fails_the_sync_and_calls_a_person(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.change.revoke(copied.token)

    sync = copied.sync()

    assert sync.state == State.FAILED
    assert sync.error
    assert sync.error["code"] == "invalid_credentials"
    copied.connection.refresh_from_db()
    assert copied.connection.status == Connection.Status.ERROR


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The tasks that were sent to workers."""
    names: list[str] = []

    def note(sender: str, **kwargs: Any) -> None:
        names.append(sender)

    before_task_publish.connect(note)
    yield names
    before_task_publish.disconnect(note)


def test_workspace_that_is_refused_is_verified_once(
    copied: Copied, sandbox: Sandbox, settings: Any, sent: list[str]
) -> None:
    settings.SYNC_RETRY_DELAYS = [0]
    sandbox.change.delete_workspace("acme")
    sandbox.faults.add(r"/members", status=500, times=2)

    sync = copied.sync()

    assert (sync.state, sync.attempt) == (State.FAILED, 2)
    assert sent.count(VERIFY_CREDENTIAL) == 1


def test_members_that_a_role_does_not_see_call_for_no_verification(
    copied: Copied, sandbox: Sandbox, sent: list[str]
) -> None:
    sandbox.faults.add(r"/members", status=403)

    assert copied.sync().state == State.PARTIAL

    assert VERIFY_CREDENTIAL not in sent


def test_repository_refused_three_times_is_no_access(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    sandbox.change.refuse_repository("acme", "web", status=403)

    states = [copied.sync().state for _ in range(4)]

    assert states == [State.PARTIAL, State.PARTIAL, State.PARTIAL, State.SUCCEEDED]
    assert PullRequest.objects.filter(repository__slug="web").count() == 60
    asked = len(sandbox.requests)
    copied.sync()
    assert len(sandbox.requests) - asked == 4


def test_waiting_sync_holds_no_worker(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.quota.limit = 100
    sandbox.change.fill_quota(copied.token, leave=5)
    sync = copied.start()

    state = engine.run_slice(sync.pk)

    sync.refresh_from_db()
    assert state == State.WAITING
    assert sync.reason == Sync.Reason.QUOTA
    assert sync.resume_at
    assert sync.lease_until is None
    assert engine.run_slice(sync.pk) is None
    assert count() > 0
