"""Why a sync, one of its streams or a delivery failed, as the API tells it."""

from typing import Any

import pytest

from connections.models import Connection
from connections.transport.errors import Evidence, InvalidPermissions, ProviderError, Unreachable
from ingestion.engine.ending import DEFECT
from ingestion.models import State
from tests.connections.api.conftest import Script
from tests.factories import DeliveryFactory, StreamRunFactory, SyncFactory

ASKED = Evidence(
    method="GET",
    path="/2.0/repositories/acme/api/pipelines",
    status=403,
    ms=84,
    trace_id="4d991389",
    excerpt='{"type": "error"}',
)
LACKING: ProviderError = InvalidPermissions(
    "The secret lacks the scope pipeline.",
    required=("pipeline",),
    granted=("repository",),
    evidence=ASKED,
)


@pytest.fixture(
    params=[LACKING.as_dict(), Unreachable("No answer.").as_dict(), DEFECT],
    ids=["refused", "unanswered", "defect"],
)
def error(request: pytest.FixtureRequest) -> Any:
    """What a row keeps of a failure."""
    return request.param


@pytest.mark.django_db
def test_failed_sync_says_why(script: Script, connection: Connection, error: Any) -> None:
    sync = SyncFactory.create(connection=connection, state=State.FAILED, error=error)
    StreamRunFactory.create(sync=sync, state=State.FAILED, error=error)

    row = script.get(f"connections/{connection.pk}/syncs.info/{sync.pk}").body["sync"]
    info = script.get(f"connections.info/{connection.pk}").body

    assert row["error"] == row["streams"][0]["error"] == error
    assert info["last_sync"] == row


@pytest.mark.django_db
def test_failed_delivery_says_why(script: Script, connection: Connection, error: Any) -> None:
    delivery = DeliveryFactory.create(connection=connection, state="failed", error=error)

    answer = script.get(f"connections/{connection.pk}/deliveries.info/{delivery.pk}")

    assert answer.body["delivery"]["error"] == error
