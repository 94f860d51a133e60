"""What a sync will take, told before it, against what it takes."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.connectors import connector
from ingestion.estimates import estimate_of
from ingestion.models import State
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale

STREAMS = [one.key for one in connector("bitbucket_cloud").streams]
STEPS = "pipeline_steps"
ASKED = 40  # requests that an estimate may make


@pytest.mark.parametrize(
    ("scale", "days", "left_out"),
    [
        (Scale(repositories=3, pull_requests=12, pipelines=50), None, {STEPS}),
        (Scale(repositories=4, pull_requests=130, pipelines=130), None, {STEPS}),
        (Scale(repositories=4, pull_requests=130, pipelines=130), 60, {STEPS}),
        (Scale(repositories=3, pull_requests=40, pipelines=60), None, set()),
        (Scale(repositories=3, pull_requests=40, pipelines=60), 90, set()),
        (Scale(repositories=3, pull_requests=60), None, {STEPS, "pull_request_activity"}),
        (Scale(repositories=20, pull_requests=40, pipelines=10, uneven=True), None, {STEPS}),
        (Scale(repositories=20, pull_requests=20, pipelines=20), None, set()),
    ],
    ids=lambda one: None,
)
def test_first_sync_takes_about_what_was_told(
    copied: Copied, sandbox: Sandbox, days: int | None, left_out: set[str]
) -> None:
    connection = copied.connection
    streams = [one for one in STREAMS if one not in left_out]
    day = (datetime.now(UTC) - timedelta(days=days)).date().isoformat() if days else None
    connection.selection = {"repositories": {"mode": "all"}, "streams": streams, "since": day}
    connection.save()

    told = estimate_of(connection)

    assert len(sandbox.requests) <= ASKED
    sync = copied.sync()
    assert sync.state == State.SUCCEEDED
    assert told.first.total == pytest.approx(sync.requests, rel=0.1)


@pytest.mark.parametrize(
    "scale", [Scale(repositories=45, pull_requests=8, pipelines=4, uneven=True)]
)
def test_of_many_repositories_a_range_is_told_into_which_the_sync_falls(
    copied: Copied, sandbox: Sandbox
) -> None:
    told = estimate_of(copied.connection)

    assert len(sandbox.requests) <= ASKED
    assert told.is_range
    sync = copied.sync()
    assert told.first.low <= sync.requests <= told.first.high
    assert told.first.high < 2 * told.first.low
