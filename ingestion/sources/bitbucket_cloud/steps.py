"""The steps of runs: a request for each, since no listing holds those of several."""

from collections.abc import Sequence
from functools import partial

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.errors import NotFound
from ingestion.sources.base import Page, ShortListing, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import values_of, whole
from ingestion.sources.bitbucket_cloud.pull_requests import MOST_REFUSED
from ingestion.sources.bitbucket_cloud.read import (
    Json,
    Unreadable,
    inside,
    label,
    moment_or_none,
    number_or_none,
    text,
)
from ingestion.sources.rows import StepRow

TRIGGER = "pipeline_step_trigger_"


def walk_steps(client: BitbucketCloudClient, repository: str, runs: Sequence[str]) -> Walk:
    """Each run's list in full; one that is gone ends with no steps.

    Raises NotFound where the lists of several runs that are there are refused and none is shown: so
    are the others, then.
    """
    refused, is_any_shown = 0, False
    for run in runs:
        read = partial(step, run=run)
        end = Page(rows=(), finished=run)
        try:
            for answer in whole(client.steps(repository, run), "steps"):
                yield Page(rows=parse.rows(values_of(answer), read, "uuid", run))
                is_any_shown = True
        except NotFound:
            end.is_missing = _is_gone(client, repository, run)
            end.is_short = not end.is_missing
            refused += end.is_short
            if refused >= MOST_REFUSED and not is_any_shown:
                raise
        except ShortListing:
            end.is_short = True
        yield end


def _is_gone(client: BitbucketCloudClient, repository: str, run: str) -> bool:
    """Whether a run is gone. Raises NotFound where no run of the repository is shown any more."""
    try:
        client.pipeline(repository, run)
    except NotFound:
        client.pipelines(repository, pagelen=1)
        return True
    return False


def step(value: Json, run: str) -> StepRow:
    """A row of …/pipelines/{run}/steps. Name, number and durations stand in recordings only."""
    uuid = text(value.get("uuid"), 64)
    if not uuid:
        raise Unreadable("the step has no uuid")
    result = inside(value, "state", "result", "name") or inside(value, "state", "stage", "name")
    return StepRow(
        run=run,
        uuid=uuid,
        name=label(value.get("name")),
        run_number=number_or_none(value.get("run_number")) or 1,
        state=text(inside(value, "state", "name"), 40),
        result=text(result, 40),
        trigger=text(inside(value, "trigger", "type"), 60).removeprefix(TRIGGER),
        duration=number_or_none(value.get("duration_in_seconds")),
        build_seconds=number_or_none(value.get("build_seconds_used")),
        max_minutes=number_or_none(value.get("maxTime")),
        started_on=moment_or_none(value.get("started_on")),
        completed_on=moment_or_none(value.get("completed_on")),
    )
