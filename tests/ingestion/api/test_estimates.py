"""connections.estimate"""

from typing import Any

import pytest

from connections.models import Connection, Credential
from tests.connections.api.conftest import Script
from tests.factories import CredentialFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def there(connection: Connection, sandbox: Sandbox) -> Connection:
    """The connection to the sandbox's workspace, not synced yet."""
    token = sandbox.tokens.workspace("acme")
    connection.credentials.all().delete()
    CredentialFactory.create(connection=connection, secrets={"api_token": token})
    connection.identity = sandbox.world.workspaces["acme"].uuid
    connection.schedule = {"kind": "every", "minutes": 60}
    connection.save()
    return connection


def estimate(script: Script, connection: Connection, query: str = "") -> Any:
    return script.get(f"connections.estimate/{connection.pk}{query}").body


def test_it_tells_requests_time_and_schedule(script: Script, there: Connection) -> None:
    answer = estimate(script, there)

    assert answer["requests"] == sum(answer["by_stream"].values()) > 5
    assert answer["low"] < answer["requests"] < answer["high"]
    assert answer["by_stream"]["repositories"] == 1
    assert answer["seconds"] >= 0
    assert answer["hours_at_quota"] == pytest.approx(answer["requests"] / 1000, abs=0.01)
    assert answer["schedule"]["fits"] is True
    assert answer["schedule"]["allowed"] == 900


def test_streams_window_and_credentials_are_tried_out(
    script: Script, there: Connection, sandbox: Sandbox
) -> None:
    whole = estimate(script, there)
    asked = len(sandbox.requests)
    people = estimate(script, there, "?streams=people")
    again = estimate(script, there, "?credentials=5")
    assert len(sandbox.requests) == asked
    later = estimate(script, there, "?since=2999-01-01")

    assert people["by_stream"].keys() == {"repositories", "people"}
    assert again["hours_at_quota"] == pytest.approx(whole["hours_at_quota"] / 5, abs=0.01)
    assert again["schedule"]["allowed"] == 4500
    assert later["requests"] < whole["requests"]
    there.refresh_from_db()
    assert there.selection["since"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?streams=nonsense", "streams"),
        ("?since=soon", "since"),
        ("?credentials=0", "credentials"),
        ("?more=1", "more"),
    ],
)
def test_what_does_not_fit_is_named(
    script: Script, there: Connection, query: str, field: str
) -> None:
    answer = estimate(script, there, query)

    assert (answer["error"], list(answer["fields"])) == ("invalid_arguments", [field])


def test_without_a_credential_that_works_there_is_none(script: Script, there: Connection) -> None:
    Credential.objects.update(status="invalid")

    assert estimate(script, there)["error"] == "invalid_credentials"
