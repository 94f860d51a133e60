"""A session for a library that speaks HTTP by itself is held by the same walls."""

import gzip
import time
from typing import Any

import pytest
import requests
from django.db import transaction
from pytest_django.fixtures import Settings

from connections.transport.http import RequestInTransaction
from connections.transport.walled import WalledSession
from tests.connections.transport.servers import AT_ONCE, Talk, answer, says, serving


def ask(talk: Talk, settings: Settings, **limits: Any) -> requests.Response:
    with serving(talk) as server, WalledSession(**limits) as session:
        settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset({server.host})
        return session.get(f"http://{server.host}/user", auth=("me", "secret"))


def test_an_answer_is_read_whole(settings: Settings) -> None:
    packed = gzip.compress(b'{"name": "Ada"}')

    said = ask(says(answer(packed, Content_Encoding="gzip")), settings)

    assert (said.status_code, said.json()) == (200, {"name": "Ada"})


def test_a_redirect_is_not_followed(settings: Settings) -> None:
    said = ask(says(answer(status="302 Found", Location="http://[")), settings)

    assert said.status_code == 302


@pytest.mark.parametrize(
    "parts", [[b""], [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *([b"1"] * 50)]]
)
def test_an_answer_that_drips_ends_at_the_deadline(parts: list[bytes], settings: Settings) -> None:
    started = time.monotonic()

    with pytest.raises(requests.RequestException):
        ask(says(*parts, pause=0.1 if len(parts) > 1 else 5), settings, deadline=0.5)

    assert time.monotonic() - started < AT_ONCE


def test_the_size_counts_after_decompression(settings: Settings) -> None:
    bomb = gzip.compress(b" " * 5_000_000)

    with pytest.raises(requests.ConnectionError, match="over 1000000 bytes"):
        ask(says(answer(bomb, Content_Encoding="gzip")), settings, max_body=1_000_000)


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/", "http://bitbucket.org/", "ftp://x/"])
def test_the_address_is_guarded(url: str) -> None:
    with pytest.raises(requests.ConnectionError):
        WalledSession().get(url)


@pytest.mark.django_db
def test_nothing_is_asked_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RequestInTransaction):
        WalledSession().get("https://127.0.0.1:1/")
