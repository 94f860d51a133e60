"""`Idempotency-Key`: a write that is sent twice happens once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils.timezone import now

from tenants.models import ApiKey, IdempotentCall
from tenants.services import idempotency
from tests.tenants.addresses import Slow
from tests.tenants.conftest import MakeKey

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.tenants.addresses"),
]
BODY = {"name": "token"}


@pytest.fixture(autouse=True)
def slow() -> Iterator[type[Slow]]:
    """The method, which holds nobody up unless a test closes it."""
    Slow.runs = 0
    Slow.begun.clear()
    Slow.goes_on.set()
    yield Slow
    Slow.goes_on.set()


def send(key: str, body: Any = None, idempotency_key: str = "first", **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key}
    content = more.pop("content_type", "application/json")
    sent = body if isinstance(body, str) else json.dumps(BODY if body is None else body)
    return Client().post("/api/test.slow", sent, content_type=content, headers=headers)


def aside(call: Callable[[], Any]) -> Any:
    """Run in a thread, and give its connection back."""
    try:
        return call()
    finally:
        connections.close_all()


def test_the_same_again_answers_as_the_first_time(key: str, slow: type[Slow]) -> None:
    first = send(key)

    again = send(key, {"ids": [1], **BODY}, "second"), send(key)

    assert [first.status_code, again[1].status_code] == [201, 201]
    assert again[1].json() == first.json()
    assert again[1]["Idempotency-Replayed"] == "true"
    assert again[1]["X-Request-Id"] != first["X-Request-Id"]
    assert slow.runs == 2


def test_json_in_another_order_is_the_same(key: str, slow: type[Slow]) -> None:
    send(key, '{"name": "token", "ids": [1]}')

    assert send(key, '{"ids":[1],  "name":"token"}').status_code == 201
    assert slow.runs == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [({"name": "other"}, "application/json"), ("name=token", "application/x-www-form-urlencoded")],
)
def test_another_body_is_refused(key: str, slow: type[Slow], body: Any, content_type: str) -> None:
    send(key)

    again = send(key, body, content_type=content_type)

    assert (again.status_code, again.json()["error"]) == (409, "idempotency_key_reused")
    assert slow.runs == 1


def test_a_key_of_another_api_key_is_another(make_key: MakeKey, slow: type[Slow]) -> None:
    assert [send(make_key()).status_code, send(make_key(), {"name": "b"}).status_code] == [201, 201]
    assert slow.runs == 2


def test_only_what_went_well_is_kept(key: str, slow: type[Slow]) -> None:
    refused = {"name": "refused"}

    assert [send(key, refused).status_code, send(key, refused).status_code] == [422, 422]
    assert slow.runs == 2
    assert send(key).status_code == 201


@pytest.mark.parametrize("idempotency_key", ["", "two words", "é", "x" * 256])
def test_a_key_that_is_none(key: str, slow: type[Slow], idempotency_key: str) -> None:
    answer = send(key, idempotency_key=idempotency_key)

    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"Idempotency-Key"}
    assert slow.runs == 0


def test_it_is_looked_up_after_the_role(key: str, make_key: MakeKey) -> None:
    send(key)
    ApiKey.objects.update(scopes=["connections:read"])

    assert send(key).json()["error"] == "missing_scope"


def test_while_the_first_runs(key: str, slow: type[Slow]) -> None:
    slow.goes_on.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(aside, lambda: send(key))
        assert slow.begun.wait(20)

        meanwhile = send(key)

        slow.goes_on.set()
        assert first.result(20).status_code == 201
    assert (meanwhile.status_code, meanwhile.json()["error"]) == (409, "idempotency_in_progress")
    assert send(key).json()["run"] == 1
    assert slow.runs == 1


def test_of_many_at_once_one_runs(key: str, slow: type[Slow]) -> None:
    start = Barrier(6)

    def at_once() -> Any:
        start.wait(20)
        return send(key)

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(aside, at_once) for _ in range(6)]
        told = {(a.result(20).status_code, a.result().json().get("error")) for a in answers}

    assert slow.runs == 1
    assert (201, None) in told
    assert told <= {(201, None), (409, "idempotency_in_progress")}


def test_neither_body_nor_answer_stands_in_the_table(key: str) -> None:
    send(key, {"name": "sent-value"})

    row = IdempotentCall.objects.values().get()

    assert (row["method"], row["key"], row["status"]) == ("test.slow", "first", 201)
    assert b"shown-once" not in row["answer"].ciphertext
    assert "sent-value" not in str(row)


def test_after_a_day_it_is_forgotten(key: str, slow: type[Slow]) -> None:
    send(key)
    IdempotentCall.objects.update(begun_at=now() - timedelta(hours=24))

    assert send(key, {"name": "other"}).status_code == 201
    assert idempotency.sweep() == 0
    IdempotentCall.objects.update(begun_at=now() - timedelta(hours=25))
    assert idempotency.sweep() == 1
    assert slow.runs == 2


def test_a_call_that_broke_off_does_not_hold_its_key_for_ever(key: str, slow: type[Slow]) -> None:
    send(key)
    IdempotentCall.objects.update(status=None, answer=None)

    assert send(key).json()["error"] == "idempotency_in_progress"
    IdempotentCall.objects.update(begun_at=now() - idempotency.BROKEN_OFF)
    assert send(key).json()["run"] == 2
