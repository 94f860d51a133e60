"""What cannot be a row is named, shows as a gap, and stops nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError
from django.db import connection as database

from ingestion import engine
from ingestion.models import Coverage, PipelineRun, PullRequest, RejectedRow, State
from tests.ingestion.engine.conftest import Copied
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
