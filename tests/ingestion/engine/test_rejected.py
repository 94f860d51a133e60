"""What cannot be a row is named, shows as a gap, and stops nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError
from django.db import connection as database
from django.db.models import F, QuerySet

from ingestion import engine
from ingestion.models import (
    Commit,
    Coverage,
    Event,
    PipelineRun,
    PullRequest,
    RejectedRow,
    State,
    Step,
)
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.sandbox import Sandbox


def test_record_that_cannot_be_a_row_is_named_and_the_rest_goes_on(
    copied: Copied, sandbox: Sandbox
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"]
    there.pipelines[next(iter(there.pipelines))].build_number = "12a"  # type: ignore[assignment]

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert PipelineRun.objects.count() == 39
    row = RejectedRow.objects.get(sync=sync)
    assert (row.stream, row.reason) == ("pipelines", "expected a whole number, found str")
    assert Coverage.objects.get(repository__slug="api", stream="pipelines").gap


def test_record_that_cannot_be_a_row_is_a_gap_until_all_is_read_again(
    copied: Copied, sandbox: Sandbox
) -> None:
    one = sandbox.world.workspaces["acme"].repositories["api"].pull_requests[2]
    told, same = one.task_count, {"updated_on": one.updated_on}
    sandbox.change.pull_request("acme", "api", 2, task_count="12a", **same)
    copied.sync()
    gap = Coverage.objects.get(repository__slug="api", stream="pull_requests").gap
    assert gap
    assert gap["code"] == "rejected_rows"

    copied.sync()
    assert Coverage.objects.get(repository__slug="api", stream="pull_requests").gap == gap
    sandbox.change.pull_request("acme", "api", 2, task_count=told, **same)
    copied.sync(mode="full")

    assert not Coverage.objects.exclude(gap=None).exists()
    assert copied.sync().state == State.SUCCEEDED
    assert not Coverage.objects.exclude(gap=None).exists()


@pytest.mark.parametrize("was_stored", [False, True])
def test_gap_closes_once_the_record_can_be_a_row(
    copied: Copied, sandbox: Sandbox, was_stored: bool
) -> None:
    if was_stored:
        copied.sync()
    sandbox.change.pull_request("acme", "api", 2, task_count="12a")
    sandbox.change.pull_request("acme", "api", 3, task_count="12a")
    gaps = Coverage.objects.exclude(gap=None)
    states = [copied.sync().state]
    assert "2 of Bitbucket's" in gaps.get().gap["message"]  # type: ignore[index]

    sandbox.change.pull_request("acme", "api", 2, task_count=1)
    states.append(copied.sync().state)
    assert "1 of Bitbucket's" in gaps.get().gap["message"]  # type: ignore[index]
    sandbox.change.pull_request("acme", "api", 3, task_count=1)
    states.append(copied.sync().state)

    assert not gaps.exists()
    assert states[0] == State.PARTIAL
    assert states[2] == State.SUCCEEDED


@pytest.fixture
def a_day_later() -> Callable[[], None]:
    """What could not be kept was refused more than a day ago."""

    def pass_by() -> None:
        RejectedRow.objects.update(created_at=F("created_at") - timedelta(hours=25))

    return pass_by


def gaps() -> "QuerySet[Coverage]":
    return Coverage.objects.exclude(gap=None)


def test_what_could_not_be_kept_is_asked_for_by_itself_once_a_day(
    copied: Copied, sandbox: Sandbox, a_day_later: Callable[[], None]
) -> None:
    """Nothing changes in them at Bitbucket, so no walk would bring them again."""
    there = sandbox.world.workspaces["acme"].repositories["api"]
    one, run = there.pull_requests[2], next(iter(there.pipelines.values()))
    tip = there.commits[there.branches["main"]]
    told, number, author = one.task_count, run.build_number, (tip.user, tip.raw_author)
    one.task_count, run.build_number = "1a", "2b"  # type: ignore[assignment]
    tip.user, tip.raw_author = None, 3  # type: ignore[assignment]
    copied.choose(*EVERYTHING).sync()
    assert {g["code"] for g in gaps().values_list("gap", flat=True)} == {"rejected_rows"}
    gap = Coverage.objects.get(repository__slug="api", stream="pull_requests").gap
    assert gap
    assert "2 (expected a whole number, found str)" in gap["message"]
    asked = len(sandbox.requests)
    copied.sync()
    assert not [r for r in sandbox.requests[asked:] if r.path.endswith("/pullrequests/2")]

    a_day_later()
    copied.sync()  # as wrong as before
    assert gaps().count() == 3
    one.task_count, run.build_number, (tip.user, tip.raw_author) = told, number, author
    sandbox.site.changed()
    copied.sync()  # their day is not over; of pipelines the first page is read in any case
    assert set(gaps().values_list("stream", flat=True)) == {"commits", "pull_requests"}
    a_day_later()
    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert not gaps().exists()
    assert PullRequest.objects.get(repository__slug="api", number=2).created_on
    assert PipelineRun.objects.filter(uuid=run.uuid).exists()
    assert Commit.objects.filter(hash=tip.hash).exists()
    assert not RejectedRow.objects.filter(resolved_at=None).exists()


def test_details_that_could_not_be_kept_are_read_again_with_their_list(
    copied: Copied, sandbox: Sandbox, a_day_later: Callable[[], None]
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"]
    entry = next(e for e in there.pull_requests[3].activity if not e.comment)
    said = next(c for n in (2, 4, 6) for c in there.pull_requests[n].comments if not c.deleted)
    run = next(one for one in there.pipelines.values() if one.steps)
    step = run.steps[0]
    kind, line, uuid = entry.kind, said.created_on, step.uuid
    entry.date, when = "never", entry.date  # type: ignore[assignment]
    said.created_on, step.uuid = "never", None  # type: ignore[assignment]
    sandbox.site.changed()
    copied.choose(*EVERYTHING).sync()
    streams = {"pull_request_activity", "pull_request_comments", "pipeline_steps"}
    assert set(gaps().values_list("stream", flat=True)) >= streams - {"pull_request_comments"}
    entry.date, said.created_on, step.uuid = when, line, uuid
    sandbox.site.changed()
    a_day_later()

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert not gaps().exists()
    assert Event.objects.filter(kind=kind, happened_at=when, pull_request__number=3).exists()
    assert Step.objects.filter(uuid=uuid).exists()


def test_what_is_gone_is_not_missing(
    copied: Copied, sandbox: Sandbox, a_day_later: Callable[[], None]
) -> None:
    sandbox.change.pull_request("acme", "api", 2, task_count="12a")
    copied.sync()
    assert gaps().exists()
    sandbox.change.delete_pull_request("acme", "api", 2)
    a_day_later()

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert not gaps().exists()


def test_record_that_cannot_be_a_row_is_a_gap_also_when_its_walk_breaks_off(
    copied: Copied, sandbox: Sandbox
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests.values()
    first = min(there, key=lambda one: one.updated_on)
    sandbox.change.pull_request(
        "acme", "api", first.id, task_count="12a", updated_on=first.updated_on
    )
    sandbox.faults.add(r"/pullrequests\?", status=500, after=1, per_path=True)
    copied.sync()
    sandbox.faults.clear()

    copied.sync()

    gap = Coverage.objects.get(repository__slug="api", stream="pull_requests").gap
    assert gap
    assert gap["message"].startswith("1 of")


def test_row_that_the_database_refuses_is_named_and_the_rest_goes_on(
    copied: Copied, sandbox: Sandbox
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"]
    there.pipelines[next(iter(there.pipelines))].build_seconds = -1

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["code"] == "rejected_rows"
    assert PipelineRun.objects.count() == 39
    assert RejectedRow.objects.get(sync=sync).stream == "pipelines"


def test_books_that_the_database_refuses_are_a_defect_and_not_kept_twice(copied: Copied) -> None:
    sync = copied.start()
    refusals = iter([DataError])

    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "ingestion_streamrun"') and PullRequest.objects.exists():
            for refusal in refusals:
                raise refusal
        return execute(sql, *rest)

    with database.execute_wrapper(refuse), pytest.raises(DataError):
        engine.run_slice(sync.pk)

    sync.refresh_from_db()
    assert sync.state == State.FAILED


def test_details_never_name_what_was_rolled_back(copied: Copied, sandbox: Sandbox) -> None:
    """A pull request is written with a batch that is refused, and then refused itself."""
    sandbox.change.pull_request("acme", "api", 2, title="unbearable")
    refused = []

    def refuse(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        is_first = "INSERT INTO ingestion_review " in sql and not refused
        is_next = "INSERT INTO ingestion_pullrequest " in sql and "unbearable" in str(params)
        if is_first or (is_next and refused):
            refused.append(sql)
            raise DataError
        return execute(sql, params, *rest)

    with database.execute_wrapper(refuse):
        sync = copied.sync()

    assert "ingestion_pullrequest" in refused[-1]
    assert sync.state == State.PARTIAL
    assert not PullRequest.objects.filter(title="unbearable").exists()
    assert Event.objects.values("pull_request").distinct().count() == PullRequest.objects.count()


def test_what_has_no_name_is_found_by_its_list_once_a_day(
    copied: Copied, sandbox: Sandbox, a_day_later: Callable[[], None]
) -> None:
    """Nothing can be asked for by it, and no walk from a watermark comes to it again."""
    there = sandbox.world.workspaces["acme"].repositories["api"]
    one, run = there.pull_requests[2], next(iter(there.pipelines.values()))
    tip = there.commits[there.branches["main"]]
    commit = there.commits[tip.parents[0]]
    names = one.id, run.uuid, commit.hash
    one.id, run.uuid, commit.hash = 2.5, None, None  # type: ignore[assignment]
    sandbox.site.changed()
    copied.choose(*EVERYTHING).sync()
    streams = {"pull_requests", "pull_request_activity", "pipelines", "commits"}
    assert streams <= set(gaps().values_list("stream", flat=True))
    one.id, run.uuid, commit.hash = names
    sandbox.site.changed()
    asked = len(sandbox.requests)
    copied.sync()  # their day is not over; of pipelines the first page is read in any case
    usual = len(sandbox.requests) - asked
    assert streams - {"pipelines"} <= set(gaps().values_list("stream", flat=True))
    a_day_later()
    Coverage.objects.update(looked_back_at=F("looked_back_at") - timedelta(hours=25))

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert not gaps().exists()
    assert PullRequest.objects.get(repository__slug="api", number=2).created_on
    assert PipelineRun.objects.filter(uuid=run.uuid).exists()
    assert Commit.objects.filter(hash=commit.hash).exists()
    asked = len(sandbox.requests)
    copied.sync()
    assert len(sandbox.requests) - asked <= usual


def test_what_has_no_name_stays_missing_while_its_list_cannot_be_read(
    copied: Copied, sandbox: Sandbox, a_day_later: Callable[[], None]
) -> None:
    sandbox.world.workspaces["acme"].repositories["api"].pull_requests[2].id = 2.5  # type: ignore[assignment]
    sandbox.site.changed()
    copied.sync()
    first = RejectedRow.objects.get(stream="pull_requests")

    a_day_later()
    copied.sync()

    assert gaps().filter(stream="pull_requests").exists()
    assert RejectedRow.objects.get(stream="pull_requests").created_at > first.created_at


def test_of_very_many_only_some_are_told_apart(
    copied: Copied, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.engine.rejections.MOST", 3)
    there = sandbox.world.workspaces["acme"].repositories["api"]
    for run in there.pipelines.values():
        run.build_number = "12a"  # type: ignore[assignment]

    sync = copied.sync()

    assert sync.counts["rejected"] == 20
    assert RejectedRow.objects.count() == 4
    assert Coverage.objects.get(repository__slug="api", stream="pipelines").gap
