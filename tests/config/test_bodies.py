"""Bodies whose length nobody said, and bodies that nobody read."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import RequestFactory
from gunicorn.http.errors import InvalidChunkSize

from config.bodies import LARGEST_BODY, whole_bodies
from connections.models import Connection
from ingestion.models import Sync
from tests.connections.api.conftest import MakeScript, script_of
from tests.factories import ConnectionFactory, CredentialFactory

__all__ = ("script_of",)

pytestmark = pytest.mark.django_db


class Wire(BytesIO):
    """What a server gives an application to read; `broken`: the chunks end in none."""

    broken = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.broken:
            raise InvalidChunkSize(b"zz")
        return super().read(size)


class Sender:
    """Sends bodies in chunks to one method."""

    def __init__(self, path: str, key: str) -> None:
        self._path, self._key = path, key
        self.ends = True  # the server tells where the body ends
        self.content_type = "application/json"

    def send(self, wire: Wire, *, length: int | None = None) -> tuple[str, dict[str, Any]]:
        """Status and answer. With a `length` the body is not sent in chunks."""
        told = list[str]()
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self._key}"}
        environ = RequestFactory().post(self._path, **headers).environ
        environ |= {"wsgi.input": wire, "wsgi.input_terminated": self.ends}
        environ |= {"CONTENT_TYPE": self.content_type, "CONTENT_LENGTH": str(length)}
        if length is None:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
            del environ["CONTENT_LENGTH"]
        application = whole_bodies(WSGIHandler())
        answered = application(environ, lambda status, headers, *_: told.append(status))
        return told[0][:3], json.loads(b"".join(answered))


@pytest.fixture(autouse=True)
def _one_transaction() -> Iterator[None]:
    """A request outside of Django's test client would close the connection of the test."""
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)


@pytest.fixture
def connection(db: None) -> Connection:
    made = ConnectionFactory.create()
    CredentialFactory.create(connection=made)
    return made


@pytest.fixture
def starting(connection: Connection, script_of: MakeScript) -> Sender:
    """Sends to syncs.start."""
    key = script_of(connection.organization).key
    return Sender(f"/api/connections/{connection.pk}/syncs.start", key)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"mode": "full"}'),
        ("application/x-www-form-urlencoded", b"mode=full"),
    ],
)
def test_a_body_in_chunks_is_read(
    starting: Sender, settings: Any, content_type: str, body: bytes
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    starting.content_type = content_type

    status, answer = starting.send(Wire(body))

    assert (status, answer["sync"]["mode"]) == ("202", "full")


def test_nothing_in_chunks_is_left_out(starting: Sender) -> None:
    status, answer = starting.send(Wire(b'{"mode": "full", "bogus": 1}'))

    assert (status, set(answer["fields"])) == ("422", {"bogus"})
    assert not Sync.objects.exists()


def test_a_body_in_chunks_has_the_same_limit(starting: Sender) -> None:
    wire = Wire(b" " * (LARGEST_BODY + 1))

    status, answer = starting.send(wire)

    assert (status, answer["error"]) == ("413", "body_too_large")


def test_chunks_that_break_off(starting: Sender) -> None:
    wire = Wire(b'{"mode": "full"}')
    wire.broken = True

    status, answer = starting.send(wire)

    assert (status, answer["error"]) == ("400", "invalid_json")
    assert not Sync.objects.exists()


def test_a_server_that_cannot_tell_the_end_of_chunks(starting: Sender) -> None:
    starting.ends = False

    status, answer = starting.send(Wire(b'{"mode": "full"}'))

    assert (status, answer["error"]) == ("400", "invalid_json")


@pytest.mark.parametrize(("size", "left"), [(LARGEST_BODY, LARGEST_BODY), (3 * LARGEST_BODY, 0)])
def test_what_is_too_large_to_be_read_is_thrown_away(
    starting: Sender, size: int, left: int
) -> None:
    starting.content_type = "text/plain"  # refused before anything is read
    wire = Wire(b"x" * size)

    starting.send(wire, length=size)

    assert size - wire.tell() == left
