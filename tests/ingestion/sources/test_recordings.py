"""Every matching recording can be read, without a row set aside."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.steps import step
from ingestion.sources.rows import PipelineRow, PullRequestRow, RejectedRecord

PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"
CLOUD = "atlassian-python-api/cloud/2.0/repositories"
RECORDED = f"{CLOUD}/TestWorkspace1/testrepository1"
LISTS: dict[str, Callable[[Any], Any]] = {
    "go-scm/cloud/prs.json": parse.pull_request,
    "go-scm/cloud/repos.json": parse.repository,
    "go-scm/cloud/repos-2.json": parse.repository,
    "go-scm/cloud/repos_filter.json": parse.repository,
    "go-scm/cloud/prcomments.json": partial(parse.comment, pull_request=1),
    f"{CLOUD}/*/GET.json": parse.repository,
    f"{CLOUD}/*/*/pullrequests/GET.json": parse.pull_request,
    f"{CLOUD}/*/*/pullrequests/*/comments/GET.json": partial(parse.comment, pull_request=1),
    f"{CLOUD}/*/*/pipelines/GET*.json": parse.pipeline,
    f"{CLOUD}/*/*/pipelines/*/steps/GET.json": partial(step, run="{run}"),
}
OBJECTS: dict[str, Callable[[Any], Any]] = {
    "go-scm/cloud/pr.json": parse.pull_request,
    "go-scm/cloud/prcomment.json": partial(parse.comment, pull_request=1),
    f"{CLOUD}/*/*/GET.json": parse.repository,
    f"{CLOUD}/*/*/pullrequests/*/GET.json": parse.pull_request,
    f"{CLOUD}/*/*/pipelines/*/GET.json": parse.pipeline,
    f"{CLOUD}/*/*/pipelines/*/steps/*/GET.json": partial(step, run="{run}"),
}

pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recordings in ../shared/data are not there"
)


def recordings(patterns: dict[str, Callable[[Any], Any]]) -> list[Any]:
    """Each file that a pattern matches, with its parser."""
    return [
        pytest.param(path, read, id=str(path.relative_to(PAYLOADS)))
        for pattern, read in patterns.items()
        for path in sorted(PAYLOADS.glob(pattern))
    ]


def body(path: Path) -> Any:
    """The answer in a file: some stand beside the request that they answer."""
    content = json.loads(path.read_text())
    return content["response"] if "response" in content and "request" in content else content


def told(row: Any) -> dict[str, Any]:
    """What a row says, without what is empty or false."""
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    empty = ("", None, ())
    return {
        name: value for name, value in values.items() if value not in empty and value is not False
    }


@pytest.mark.parametrize(("path", "read"), recordings(LISTS))
def test_recorded_lists_are_read(path: Path, read: Callable[[Any], Any]) -> None:
    values = body(path).get("values", [])  # the page behind the end has none

    rows = parse.rows(values, read, "id")

    assert len(rows) == len(values)
    assert not [row for row in rows if isinstance(row, RejectedRecord)]


@pytest.mark.parametrize(("path", "read"), recordings(OBJECTS))
def test_recorded_objects_are_read(path: Path, read: Callable[[Any], Any]) -> None:
    row = read(body(path))

    assert row is not None


def test_every_pattern_matches_a_recording() -> None:
    missing = [pattern for pattern in [*LISTS, *OBJECTS] if not list(PAYLOADS.glob(pattern))]

    assert missing == []


def test_recorded_pull_request_keeps_what_it_says() -> None:
    row = parse.pull_request(body(PAYLOADS / "go-scm/cloud/pr.json"))

    assert isinstance(row, PullRequestRow)
    assert row.number == 4982
    assert row.updated_on == datetime(2020, 1, 17, 1, 2, 49, 933253, UTC)
    assert len(row.source_commit) == 12


def test_recorded_pull_request_is_read_whole() -> None:
    row = parse.pull_request(body(PAYLOADS / RECORDED / "pullrequests/1/GET.json"))

    assert told(row) == {
        "number": 1,
        "title": "PRTitle",
        "description": "PRDescription",
        "state": "OPEN",
        "source_branch": "feature/test-branch",
        "source_commit": "16182c4123fb",
        "source_repository_uuid": "{RepoUUID}",
        "destination_branch": "master",
        "destination_commit": "1fbd047cd99a",
        "close_source_branch": True,
        "comment_count": 5,
        "task_count": 0,
        "created_on": datetime(2020, 3, 19, 12, 0, 3, 494356, UTC),
        "updated_on": datetime(2020, 12, 27, 14, 9, 14, 660262, UTC),
        "author": row.author,
        "participants": row.participants,
        "web_url": row.web_url,
    }
    assert row.author is not None
    assert told(row.author) == {
        "uuid": "{User03UUID}",
        "account_id": "User03AccountID",
        "name": "User03DisplayName",
        "nickname": "User03Nickname",
        "kind": "user",
    }
    first = (row.participants or ())[0]
    assert (first.person.uuid, first.role) == ("{User05UUID}", "PARTICIPANT")
    assert first.participated_on == datetime(2020, 3, 19, 14, 29, 24, 928709, UTC)
    assert {one.state for one in row.participants or ()} >= {"approved"}
    assert any(one.is_approved for one in row.participants or ())


def test_recorded_merge_has_its_commit() -> None:
    delivery = json.loads((PAYLOADS / "go-scm/cloud/webhooks/pr_fulfilled.json").read_text())

    row = parse.pull_request(delivery["pullrequest"])

    assert (row.state, row.merge_commit) == ("MERGED", "4f8f6de9d0ff")


def test_recorded_comment_is_read_whole() -> None:
    row = parse.comment(body(PAYLOADS / "go-scm/cloud/prcomment.json"), 3)

    assert told(row) == {
        "pull_request": 3,
        "number": 419169807,
        "author": row.author,
        "content": "Lovely comment",
        "created_on": datetime(2023, 8, 14, 11, 38, 53, 460132, UTC),
        "updated_on": datetime(2023, 8, 14, 11, 38, 53, 460205, UTC),
    }


def test_recorded_repository_is_read_whole() -> None:
    (found,) = body(PAYLOADS / "go-scm/cloud/repos.json")["values"]

    row = parse.repository(found)

    assert told(row) == {
        "uuid": "{7dd600e6-0d9c-4801-b967-cb4cc17359ff}",
        "name": "stash-example-plugin",
        "slug": "stash-example-plugin",
        "full_name": "atlassian/stash-example-plugin",
        "project_key": "PROJ",
        "project_name": "Project: Atlassian",
        "is_private": True,
        "main_branch": "master",
        "size": 1116345,
        "web_url": row.web_url,
        "created_on": datetime(2013, 4, 15, 3, 5, 5, 595458, UTC),
        "updated_on": datetime(2018, 4, 1, 16, 36, 35, 970175, UTC),
    }


def test_recorded_pipeline_is_read_whole() -> None:
    row = parse.pipeline(body(PAYLOADS / RECORDED / "pipelines/{PipelineUuid}/GET.json"))

    assert told(row) == {
        "uuid": "{PipelineUuid}",
        "number": 25,
        "run_number": 1,
        "state": "COMPLETED",
        "result": "STOPPED",
        "trigger": "MANUAL",
        "creator": row.creator,
        "target": "pipeline_ref_target",
        "ref_name": "master",
        "commit": "30c1b58a2341992fe6870756a8880d5006ddb18e",
        "created_on": datetime(2020, 11, 3, 22, 14, 50, 671000, UTC),
        "duration": 0,
        "build_seconds": 0,
    }


def test_recorded_pipeline_has_its_moments() -> None:
    path = next(PAYLOADS.glob(f"{CLOUD}/*/*/pipelines/GET*page_1*.json"))

    row = parse.pipeline(body(path)["values"][0])

    assert isinstance(row, PipelineRow)
    assert row.completed_on
    assert (row.completed_on - row.created_on).total_seconds() == pytest.approx(2.502)
