"""deliveries.list, deliveries.info, deliveries.replay"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import Delivery
from tenants.models import ApiKey, AuditEvent
from tenants.roles import Role
from tests.connections.api.conftest import Script
from tests.factories import ConnectionFactory, DeliveryFactory


def of(connection: Connection, method: str) -> str:
    return f"connections/{connection.pk}/{method}"


def ids(answer: Any) -> list[int]:
    return [row["id"] for row in answer.body["deliveries"]]


def test_list_is_newest_first_in_pages(script: Script, connection: Connection) -> None:
    rows = [DeliveryFactory.create(connection=connection) for _ in range(5)]
    DeliveryFactory.create(
        connection=ConnectionFactory.create(organization=connection.organization)
    )

    first = script.get(of(connection, "deliveries.list"), limit=3)
    DeliveryFactory.create(connection=connection)
    cursor = first.body["response_metadata"]["next_cursor"]
    second = script.get(of(connection, "deliveries.list"), limit=3, cursor=cursor)

    assert ids(first) + ids(second) == [row.pk for row in reversed(rows)]
    assert second.body["response_metadata"]["next_cursor"] is None


def test_list_is_narrowed(script: Script, connection: Connection) -> None:
    failed = DeliveryFactory.create(connection=connection, state="failed", outcome="failed")
    pushed = DeliveryFactory.create(connection=connection, event="repo:push")
    old = DeliveryFactory.create(connection=connection)
    Delivery.objects.filter(pk=old.pk).update(received_at=now() - timedelta(days=2))
    method = of(connection, "deliveries.list")

    yesterday = (now() - timedelta(days=1)).isoformat()
    assert ids(script.get(method, state="failed")) == [failed.pk]
    assert ids(script.get(method, event="repo:push")) == [pushed.pk]
    assert ids(script.get(method, since=yesterday)) == [pushed.pk, failed.pk]
    assert script.get(method, state="lost").error == "invalid_arguments"


def test_list_tells_what_became_of_each(script: Script, connection: Connection) -> None:
    DeliveryFactory.create(
        connection=connection, repository_name="acme/api", ms=420, changed=3, requests=2
    )

    row = script.get(of(connection, "deliveries.list")).body["deliveries"][0]

    assert (row["event"], row["repository"], row["attempt"]) == (
        "pullrequest:approved",
        "acme/api",
        1,
    )
    assert (row["state"], row["outcome"], row["message"]) == (
        "done",
        "changed",
        "What changed was fetched.",
    )
    assert (row["ms"], row["changed"], row["requests"]) == (420, 3, 2)
    assert "body" not in row


@pytest.mark.parametrize(
    ("role", "body"), [(Role.VIEWER, None), (Role.ADMIN, '{"a": "\\ud800"}'), (Role.OWNER, "{}")]
)
def test_the_body_is_for_admins(
    connection: Connection, script: Script, role: Role, body: str | None
) -> None:
    headers = {"X-Event-Key": "repo:push"}
    row = DeliveryFactory.create(connection=connection, body=body or "{}", headers=headers)
    ApiKey.objects.update(role=role)

    told = script.get(of(connection, f"deliveries.info/{row.pk}")).body["delivery"]

    assert told["body"] == body
    assert told["headers"] == headers


def test_one_of_another_connection_is_not_found(script: Script, connection: Connection) -> None:
    other = ConnectionFactory.create(organization=connection.organization)
    row = DeliveryFactory.create(connection=other)

    told = script.get(of(connection, f"deliveries.info/{row.pk}"))
    asked = script.post(of(connection, "deliveries.replay"), {"id": row.pk})

    assert {(one.status, one.error) for one in (told, asked)} == {(404, "delivery_not_found")}


def test_replay_asks_again_and_is_noted(script: Script, connection: Connection) -> None:
    row = DeliveryFactory.create(connection=connection, state="failed", outcome="failed")

    answer = script.post(of(connection, "deliveries.replay"), {"id": row.pk})

    assert answer.status == 202
    assert (answer.body["delivery"]["replays"], answer.body["delivery"]["id"]) == (1, row.pk)
    event = AuditEvent.objects.get(event_type="deliveries.replayed")
    of_connection = {"id": connection.pk, "name": connection.name}
    named = {"type": "delivery", "id": row.pk, "name": row.event}
    assert event.target == {**named, "connection": of_connection}


def test_replay_wants_a_connection_that_works(script: Script, connection: Connection) -> None:
    row = DeliveryFactory.create(connection=connection)
    Connection.objects.update(status=Connection.Status.DISABLED)

    answer = script.post(of(connection, "deliveries.replay"), {"id": row.pk})

    assert answer.error == "connection_not_ready"
    assert Delivery.objects.get().replays == 0
