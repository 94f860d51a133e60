"""Every matching recording can be read, without a row set aside."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.rows import PipelineRow, PullRequestRow, RejectedRecord

PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"
CLOUD = "atlassian-python-api/cloud/2.0/repositories"
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
}
OBJECTS: dict[str, Callable[[Any], Any]] = {
    "go-scm/cloud/pr.json": parse.pull_request,
    "go-scm/cloud/prcomment.json": partial(parse.comment, pull_request=1),
    f"{CLOUD}/*/*/GET.json": parse.repository,
    f"{CLOUD}/*/*/pullrequests/*/GET.json": parse.pull_request,
    f"{CLOUD}/*/*/pipelines/*/GET.json": parse.pipeline,
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


def test_recorded_pipeline_has_its_moments() -> None:
    path = next(PAYLOADS.glob(f"{CLOUD}/*/*/pipelines/GET*page_1*.json"))

    row = parse.pipeline(body(path)["values"][0])

    assert isinstance(row, PipelineRow)
    assert row.completed_on
    assert (row.completed_on - row.created_on).total_seconds() == pytest.approx(2.502)
