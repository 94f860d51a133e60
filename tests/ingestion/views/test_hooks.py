"""Where webhooks deliver to: what is taken, what is refused, and that it keeps nobody waiting."""

import hashlib
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from ingestion.models import Delivery
from ingestion.views import hooks
from tests.factories import ConnectionFactory
from tests.hooks import request_uuid, secret_of, send, signature

pytestmark = pytest.mark.django_db
EVENT = "pullrequest:approved"
BODY = {"pullrequest": {"id": 3}, "repository": {"uuid": "{r}", "full_name": "acme/api"}}


@pytest.fixture(autouse=True)
def _nobody_works(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is followed, no sender was refused before, and it is the same minute throughout."""
    monkeypatch.setattr(hooks.Refusals, "clock", lambda _: 60.0)
    hooks.forget_refusals()
    current_app.conf.task_always_eager = False
    yield
    current_app.conf.task_always_eager = True


@pytest.fixture
def connection() -> Connection:
    made: Connection = ConnectionFactory.create()
    return made


@pytest.fixture
def secret(connection: Connection) -> str:
    return secret_of(connection)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")


def test_a_delivery_is_stored_as_it_came(connection: Connection, secret: str) -> None:
    uuid = request_uuid()

    answer = send(connection, secret, EVENT, BODY, X_Request_UUID=uuid, X_Attempt_Number="2")

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    row = Delivery.objects.get()
    assert (row.organization, row.connection) == (connection.organization, connection)
    assert (row.event, row.request_id, row.attempt) == (EVENT, uuid, 2)
    assert (json.loads(row.body), row.state) == (BODY, Delivery.State.QUEUED)
    assert (row.repository_uuid, row.repository_name) == ("{r}", "acme/api")
    assert row.headers["User-Agent"] == "Bitbucket-Webhooks/2.0"
    assert "X-Hub-Signature" not in row.headers


def test_the_published_signature_is_right() -> None:
    expected = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"

    assert hooks.is_signed(b"Hello World!", expected, ("other", "It's a Secret to Everybody"))
    assert not hooks.is_signed(b"Hello World!", expected, ("other",))
    assert not hooks.is_signed(b"Hello World!", expected, ())
    assert not hooks.is_signed(b"Hello World!", expected[7:], ("It's a Secret to Everybody",))


@pytest.mark.parametrize("given", ["", "sha256=", "sha256=é", "sha1=abc", "sha256=" + "0" * 64])
def test_what_is_not_signed_is_refused(connection: Connection, secret: str, given: str) -> None:
    answer = send(connection, secret, EVENT, BODY, X_Hub_Signature=given)

    assert told(answer) == (401, "invalid_signature")
    assert not Delivery.objects.exists()


def test_without_a_secret_nothing_is_believed(connection: Connection) -> None:
    assert told(send(connection, "", EVENT, BODY)) == (401, "invalid_signature")


def test_a_secret_that_was_rotated_out_still_signs(connection: Connection, secret: str) -> None:
    newer = secret_of(connection)

    answers = [send(connection, one, EVENT, BODY).status_code for one in (secret, newer)]

    assert answers == [200, 200]


def test_the_signature_is_of_the_bytes(connection: Connection, secret: str) -> None:
    spaced = b'{ "repository" :\n{"uuid": "\\u007br}"} }'

    assert send(connection, secret, EVENT, spaced).status_code == 200
    assert Delivery.objects.get().body == spaced.decode()


def test_a_connection_that_is_not_there(connection: Connection, secret: str) -> None:
    deleted = ConnectionFactory.create(deleted_at=now())
    connector, key = connection.connector, connection.public_id
    paths = [
        f"/webhooks/{connector}/{deleted.public_id}",
        f"/webhooks/{connector}/00000000-0000-0000-0000-000000000000",
        f"/webhooks/bitbucket_pipelines/{key}",
        f"/webhooks/none/{key}",
        f"/webhooks/%00/{key}",
        f"/webhooks/{connector}/not-a-uuid",
        f"/webhooks/{connector}/not-a-uuid/",
    ]

    answers = [send(connection, secret, EVENT, BODY, path=path) for path in paths]

    assert {told(answer) for answer in answers} == {(404, "connection_not_found")}
    assert len({answer.json()["message"] for answer in answers}) == 1


def test_a_slash_behind_it_makes_no_difference(connection: Connection, secret: str) -> None:
    path = f"/webhooks/{connection.connector}/{connection.public_id}/"

    assert send(connection, secret, EVENT, BODY, path=path).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b'"text"', b"null", b"\xff", b"[" * 100_000, b'{"a": NaN}'],
)
def test_what_is_no_json_object(connection: Connection, secret: str, body: bytes) -> None:
    assert told(send(connection, secret, EVENT, body)) == (400, "invalid_json")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("size", "status"), [(hooks.LARGEST, 200), (hooks.LARGEST + 1, 413)])
def test_the_largest_body(connection: Connection, secret: str, size: int, status: int) -> None:
    body = b'{"filler": "' + b"x" * (size - 14) + b'"}'
    assert len(body) == size

    assert send(connection, secret, EVENT, body).status_code == status


def test_a_body_that_says_how_large_it_is_is_not_read(connection: Connection) -> None:
    class Unread(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("nobody reads it")

    answer = Client().generic(
        "POST",
        f"/webhooks/{connection.connector}/{connection.public_id}",
        **{"wsgi.input": Unread(), "CONTENT_LENGTH": str(hooks.LARGEST + 1)},
    )

    assert told(answer) == (413, "body_too_large")


def test_an_event_that_no_database_keeps(connection: Connection, secret: str) -> None:
    answer = send(connection, secret, "", b'{"eventKey": "pr:\\u0000opened\\ud800"}')

    assert answer.status_code == 200
    assert Delivery.objects.get().event == "pr:opened?"


def test_a_delivery_that_comes_again_is_known(connection: Connection, secret: str) -> None:
    uuid = request_uuid()

    for attempt in ("1", "2", "3"):
        sent = {"X_Request_UUID": uuid, "X_Attempt_Number": attempt}
        assert send(connection, secret, EVENT, BODY, **sent).status_code == 200

    assert Delivery.objects.get().attempt == 3


@pytest.mark.parametrize(("told", "kept"), [("9" * 5_000, hooks.MOST_ATTEMPTS), ("-2", 1)])
def test_any_attempt(connection: Connection, secret: str, told: str, kept: int) -> None:
    assert send(connection, secret, EVENT, BODY, X_Attempt_Number=told).status_code == 200
    assert Delivery.objects.get().attempt == kept


def test_the_same_id_at_another_connection_is_another(connection: Connection, secret: str) -> None:
    uuid, other = request_uuid(), ConnectionFactory.create()

    send(connection, secret, EVENT, BODY, X_Request_UUID=uuid)
    send(other, secret_of(other), EVENT, BODY, X_Request_UUID=uuid)

    assert Delivery.objects.count() == 2


@pytest.mark.parametrize("given", [{"X_Request_Id": "of-data-center"}, {}])
def test_without_bitbucket_cloud_s_id(
    connection: Connection, secret: str, given: dict[str, str]
) -> None:
    for _ in range(2):
        send(connection, secret, EVENT, BODY, X_Request_UUID="", **given)

    raw = json.dumps(BODY).encode()
    expected = given.get("X_Request_Id") or hashlib.sha256(raw).hexdigest()
    assert Delivery.objects.get().request_id == expected


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("event", "body"), [("diagnostics:ping", {"test": True}), ("", {"test": True})]
)
def test_data_center_s_ping(
    connection: Connection, secret: str, event: str, body: dict[str, Any], signed: bool
) -> None:
    given = signature(secret, json.dumps(body).encode()) if signed else ""

    answer = send(connection, secret, event, body, X_Hub_Signature=given)

    assert answer.status_code == 200
    assert not Delivery.objects.exists()


def test_a_ping_with_a_wrong_signature_is_told_so(connection: Connection, secret: str) -> None:
    answer = send(connection, "other", "diagnostics:ping", {"test": True})

    assert told(answer) == (401, "invalid_signature")


def test_only_posts(connection: Connection) -> None:
    address = f"/webhooks/{connection.connector}/{connection.public_id}"

    answer = Client().get(address)

    assert told(answer) == (405, "method_not_allowed")
    assert answer["Allow"] == "POST"


def test_needs_no_token_of_a_form_and_sets_no_cookie(connection: Connection, secret: str) -> None:
    raw = json.dumps(BODY).encode()
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(
        f"/webhooks/{connection.connector}/{connection.public_id}",
        raw,
        content_type="application/x-www-form-urlencoded",
        headers={"X-Hub-Signature": signature(secret, raw), "Accept": "text/html"},
    )

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert not answer.cookies


def test_a_paused_connection_stores_and_waits(connection: Connection, secret: str) -> None:
    Connection.objects.update(status=Connection.Status.DISABLED)

    assert send(connection, secret, EVENT, BODY).status_code == 200
    assert Delivery.objects.get().state == Delivery.State.QUEUED


def test_takes_few_statements(
    connection: Connection, secret: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    send(connection, secret, EVENT, BODY)

    with django_assert_max_num_queries(6):  # two of them mark the transaction
        send(connection, secret, EVENT, BODY)


def test_who_is_refused_again_and_again_is_not_heard_out(
    connection: Connection, secret: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(hooks.REFUSED_A_MINUTE):
        assert send(connection, "wrong", EVENT, BODY).status_code == 401

    with django_assert_max_num_queries(0):
        answer = send(connection, "wrong", EVENT, BODY)
    assert told(answer) == (429, "rate_limited")
    assert answer["Retry-After"] == "60"

    other = ConnectionFactory.create()
    assert send(other, secret_of(other), EVENT, BODY).status_code == 200, "others are heard"


def test_a_webhook_with_an_old_secret_does_not_stop_the_others(
    connection: Connection, secret: str
) -> None:
    for _ in range(hooks.REFUSED_A_MINUTE + 1):
        send(connection, "old", EVENT, BODY, X_Hook_UUID="{old}")

    assert told(send(connection, "old", EVENT, BODY, X_Hook_UUID="{old}"))[0] == 429
    assert send(connection, secret, EVENT, BODY, X_Hook_UUID="{new}").status_code == 200


def test_counts_no_more_senders_than_it_can_remember() -> None:
    refusals = hooks.Refusals()

    for number in range(hooks.MOST_SENDERS):
        refusals.count(str(number))
    for _ in range(hooks.REFUSED_A_MINUTE):
        refusals.count("0")
        refusals.count("late")

    assert refusals.is_full("0")
    assert not refusals.is_full("late")
