"""Asks the API what its own description allows, and what it does not, with the sandbox behind it.

The walk is the same each time. In most calls the ids are those of rows that there are.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import positive_data_acceptance

from config.bodies import whole_bodies
from connections.models import Connection
from ingestion.models import State
from tests.connections.conftest import _no_lots_of_other_tests, connection, token
from tests.factories import (
    DeliveryFactory,
    PullRequestFactory,
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)
from tests.tenants.conftest import key, make_key

__all__ = ("_no_lots_of_other_tests", "connection", "key", "make_key", "token")

EXAMPLES = 12  # of each method, beside those that cover its schemas part by part
# Of the many cases that cover a large body, every so manieth is asked.
EVERY = {"connections.create": 6, "connections.update": 3}
FORM = "application/x-www-form-urlencoded"
OF_METHOD = {
    "connections": "connection",
    "credentials": "credential",
    "syncs": "sync",
    "deliveries": "delivery",
}
# What no JSON Schema of a body can say: whether a cursor is ours, whether a cron expression ever
# comes, what is printable (names), what a connection copies, of which method a secret is.
BEYOND_SCHEMAS = re.compile(
    r"cursor|schedule\.cron|schedule\.timezone|(credential\.)?(name|label|method|secrets)\b.*|streams"
)
WHOLE = re.compile(  # 1.0 is one to JSON Schema
    r"(id|credential_id|parent_id|ids\.\d+): A valid integer is required\."
)
OF_METHODS = re.compile(
    r"(credential\.)?settings\.\w+: "
    r"(This key is not known here|This is required|This is no e-mail address)\..*"
)
NUL = "Null characters are not allowed."
api = schemathesis.openapi.from_wsgi("/api/schema/", whole_bodies(WSGIHandler()))


@pytest.fixture
def rows(connection: Connection, settings: Any) -> dict[str, int]:
    """A connection with one row of each kind, and their ids."""
    repository = RepositoryFactory.create(connection=connection, name="api")
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL)
    StreamRunFactory.create(sync=sync)
    delivery = DeliveryFactory.create(connection=connection)
    PullRequestFactory.create(repository=repository, connection=connection)
    return {
        "connection": connection.pk,
        "credential": connection.credentials.get().pk,
        "sync": sync.pk,
        "delivery": delivery.pk,
        "repository": repository.pk,
    }


@pytest.fixture(autouse=True)
def _one_transaction() -> Iterator[None]:
    """As Django's own test client: the connection, and what was not committed, stays."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.mark.django_db
@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_it_answers_as_it_says(case: Any, rows: dict[str, int], key: str) -> None:
    if _is_passed_over(case):
        return
    _point_at_rows(case, rows)

    answer = case.call_and_validate(
        headers={"Authorization": f"Bearer {key}"}, excluded_checks=[positive_data_acceptance]
    )

    assert "x-request-id" in answer.headers
    if case.meta.generation.mode.is_positive and case.media_type != FORM:
        told = answer.json().get("fields", {}) if answer.status_code == 422 else {}
        assert not [one for one in told.items() if not _is_beyond_schemas(*one)]


def _is_beyond_schemas(name: str, said: str) -> bool:
    told = f"{name}: {said}"
    return bool(
        said == NUL
        or BEYOND_SCHEMAS.fullmatch(name)
        or OF_METHODS.fullmatch(told)
        or WHOLE.fullmatch(told)
    )


def _is_passed_over(case: Any) -> bool:
    every = EVERY.get(case.operation.definition.raw["operationId"], 1)
    covers = case.meta.phase.name == TestPhase.COVERAGE
    return covers and zlib.crc32(repr((case.query, case.body)).encode()) % every != 0


def _point_at_rows(case: Any, rows: dict[str, int]) -> None:
    """Put ids of rows that there are into what fits, in all but every fourth case."""
    method = case.operation.definition.raw["operationId"]
    body, path = case.body, case.path_parameters
    if case.meta.generation.mode.is_negative or len(str(body)) % 4 == 0:
        return
    if "connection_id" in path and isinstance(path["connection_id"], int):
        path["connection_id"] = rows["connection"]
    if isinstance(path.get("id"), int):
        path["id"] = rows[OF_METHOD[method.partition(".")[0]]]
    if isinstance(body, dict) and isinstance(body.get("id"), int):
        body["id"] = rows[OF_METHOD[method.partition(".")[0]]]
    if isinstance(body, dict) and isinstance(body.get("ids"), list):
        body["ids"] = [rows["repository"]]
