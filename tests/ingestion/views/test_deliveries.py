"""The inbox of webhooks, one delivery, and its replay."""

import html
import tracemalloc
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from ingestion.models import Delivery, Sync
from tests.factories import (
    ConnectionFactory,
    DeliveryFactory,
    StreamRunFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import Address

pytestmark = pytest.mark.django_db
SECRETIVE = '{"pullrequest": {"title": "Not for viewers", "half": "\\ud800"}}'


def text_of(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


def test_an_empty_inbox_says_how_deliveries_come(member: Client, url: Address) -> None:
    text = text_of(member.get(url("deliveries")))

    assert "Nothing was delivered yet" in text
    assert "once a connection has webhooks" in text


def test_the_inbox_tells_what_came_and_what_became_of_it(
    member: Client, url: Address, connection: Connection
) -> None:
    row = DeliveryFactory.create(
        connection=connection, event="repo:push", repository_name="acme/api", attempt=2, ms=1234
    )
    DeliveryFactory.create(
        connection=connection, event="new:event", state="dropped", outcome="stale"
    )

    text = text_of(member.get(url("deliveries")))

    for told in ("Commits pushed", "acme/api", connection.name, "Fetched", "1,234"):
        assert told in text
    assert "new:event" in text
    assert "Each is kept for 30 days." in text
    assert "It is older than what is here" in text
    assert url("delivery", row.pk) in text


def test_filters_live_in_the_address(member: Client, url: Address, connection: Connection) -> None:
    other = ConnectionFactory.create(organization=connection.organization)
    DeliveryFactory.create(connection=connection, event="repo:push", repository_name="acme/one")
    DeliveryFactory.create(connection=other, state="failed", repository_name="acme/two")
    address = url("deliveries")

    def shown(query: str) -> list[bool]:
        text = text_of(member.get(f"{address}?{query}"))
        return [f"acme/{name}" in text for name in ("one", "two")]

    assert shown("") == [True, True]
    assert shown("event=repo%3Apush") == [True, False]
    assert shown("state=failed") == [False, True]
    assert shown(f"connection={connection.pk}") == [True, False]
    assert shown("state=failed&event=repo%3Apush") == [False, False]
    assert member.get(f"{address}?state=lost").status_code == 400


def test_an_inbox_takes_few_statements(
    member: Client,
    url: Address,
    connection: Connection,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(120):
        DeliveryFactory.create(connection=connection, body=f'{{"n": {number}}}')

    with django_assert_max_num_queries(10):
        answer = member.get(f"{url('deliveries')}?page=2")

    assert "51–100 of 120" in text_of(answer)


def test_a_delivery_shows_its_body_folded_and_pretty(
    member: Client, url: Address, connection: Connection
) -> None:
    row = DeliveryFactory.create(
        connection=connection, body=SECRETIVE, headers={"X-Hook-UUID": "{h}"}
    )

    text = text_of(member.get(url("delivery", row.pk)))

    assert '  "pullrequest": {\n    "title": "Not for viewers"' in text
    assert "<details" in text
    assert "{h}" in text


def test_a_viewer_sees_no_body_and_replays_nothing(
    viewer: Client, url: Address, connection: Connection
) -> None:
    row = DeliveryFactory.create(connection=connection, body=SECRETIVE)

    text = text_of(viewer.get(url("delivery", row.pk)))

    assert "Not for viewers" not in text
    assert "can see what was delivered" in text
    assert "can replay it" in text
    assert viewer.post(url("delivery_replay", row.pk)).status_code == 403


def test_a_body_of_any_size_makes_a_small_page(
    member: Client, url: Address, connection: Connection
) -> None:
    body = '{"filler": [' + ", ".join(["1"] * 300_000) + "]}"
    row = DeliveryFactory.create(connection=connection, body=body)

    answer = member.get(url("delivery", row.pk))

    assert "It is longer" in text_of(answer)
    assert len(answer.content) < 130_000


@pytest.mark.parametrize("depth", [400, 950])
def test_a_body_that_is_nested_deep_is_not_blown_up(
    member: Client, url: Address, connection: Connection, depth: int
) -> None:
    body = '{"deep": ' + "[" * depth + ", ".join(["1"] * 30_000) + "]" * depth + "}"
    row = DeliveryFactory.create(connection=connection, body=body)

    tracemalloc.start()
    answer = member.get(url("delivery", row.pk))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert "deep" in text_of(answer)
    assert len(answer.content) < 250_000
    assert peak < 10_000_000, "bytes"


def test_what_deliveries_missed_is_counted(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection)
    StreamRunFactory.create(sync=sync, created=2, updated=1)
    told = "found 3 changed pull requests of which no delivery had told"
    assert told not in text_of(member.get(url("deliveries"))), "there are no webhooks"

    row = DeliveryFactory.create(connection=connection, about="pull_requests:{r}:1")
    Delivery.objects.filter(pk=row.pk).update(received_at=now() - timedelta(hours=1))
    assert told in text_of(member.get(url("deliveries")))

    Sync.objects.update(created_at=now() - timedelta(hours=25))
    Delivery.objects.filter(pk=row.pk).update(received_at=now() - timedelta(hours=26))
    assert told not in text_of(member.get(url("deliveries")))


def test_replay(member: Client, url: Address, connection: Connection) -> None:
    row = DeliveryFactory.create(connection=connection)

    answer = member.post(url("delivery_replay", row.pk), follow=True)

    assert "It is fetched once more." in text_of(answer)
    assert Delivery.objects.get().replays == 1


def test_nothing_is_replayed_of_a_paused_connection(
    member: Client, url: Address, connection: Connection
) -> None:
    row = DeliveryFactory.create(connection=connection)
    Connection.objects.update(status=Connection.Status.DISABLED)

    answer = member.post(url("delivery_replay", row.pk), follow=True)

    assert "is paused. Enable it first." in text_of(answer)
    assert Delivery.objects.get().replays == 0


def test_the_navigation_leads_there(member: Client, url: Address) -> None:
    assert url("deliveries") in text_of(member.get(url("overview")))
