"""Requests: permits, limits of time and size, redirects, pages, and every way to fail."""

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from connections.transport.errors import (
    BlockedAddress,
    Gone,
    InvalidCredentials,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    TlsError,
    Unavailable,
    UnexpectedResponse,
    Unreachable,
)
from connections.transport.http import RequestInTransaction, Transport
from connections.transport.ledger import Purpose
from tests.connections.ledgers import CountingLedger
from tests.connections.transport.asking import SECRET, failure, put_secret, transport_to
from tests.connections.transport.certificates import self_signed
from tests.connections.transport.servers import answer, says, serving


def test_an_answer_is_decoded_and_timed(settings: Settings) -> None:
    date = "Sun, 22 Nov 2026 02:00:00 GMT"
    with serving(says(answer(b'{"a": [1]}', Date=date))) as server:
        found = transport_to(server, settings).get("/user", {"q": 'name ~ "ä"'})

    assert found.json == {"a": [1]}
    assert found.date is not None
    assert found.date.isoformat() == "2026-11-22T02:00:00+00:00"
    assert found.ms >= 0
    assert b"GET /2.0/user?q=name+~+%22%C3%A4%22 " in server.asked[0]
    assert f"Bearer {SECRET}".encode() in server.asked[0]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/user?fields=values.id,next&q=a+%2B%20b", "/user?fields=values.id,next&q=a+%2B%20b"),
        ("/user?page=a/b?c==", "/user?page=a/b?c=="),
        ("/user?", "/user"),
        ("/a%zz?q=50%&r=1", "/a%25zz?q=50%25&r=1"),
        ("/ö?q=ä b[0]#end", "/%C3%B6?q=%C3%A4%20b%5B0%5D"),
    ],
)
def test_an_address_is_sent_as_it_is_but_for_what_may_not_stand_in_one(
    given: str, sent: str, settings: Settings
) -> None:
    with serving(says(answer())) as server:
        found = transport_to(server, settings).get(given)

    assert server.asked[0].split()[1].decode().removeprefix("/2.0") == sent
    assert found.url.isascii()


def test_each_attempt_takes_a_permit_and_learns_the_limit(settings: Settings) -> None:
    books = CountingLedger()
    with serving(says(answer(X_RateLimit_Limit="1200, 60;w=3600"))) as server:
        transport = transport_to(server, settings, ledger=books)
        transport.get("/a")
        transport.get("/b")

    assert books.taken == [("token", Purpose.VERIFY)] * 2
    assert books.learned == [(1200, None)] * 2


def test_a_refused_secret_teaches_no_limit(settings: Settings) -> None:
    books = CountingLedger()
    talk = says(answer(status="401 Unauthorized", X_RateLimit_Limit="60, 60;w=3600"))

    failure(talk, settings, ledger=books)

    assert books.learned == []


def test_nothing_is_asked_when_the_ledger_refuses(settings: Settings) -> None:
    from django.utils.timezone import now

    books = CountingLedger(stop=QuotaExhausted("Nothing left.", resume_at=now()))
    with serving(says(answer())) as server, pytest.raises(QuotaExhausted):
        transport_to(server, settings, ledger=books).get("/user")

    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        ("401 Unauthorized", InvalidCredentials, False),
        ("404 Not Found", NotFound, False),
        ("410 Gone", Gone, False),
        ("429 Too Many", RateLimited, True),
        ("500 Oops", Unavailable, True),
        ("555 Timeout", Unavailable, True),
    ],
)
def test_a_status_becomes_its_error(
    status: str, kind: type[ProviderError], retryable: bool, settings: Settings
) -> None:
    error = failure(says(answer(b'{"type": "error"}', status)), settings)

    assert type(error) is kind
    assert error.retryable is retryable
    assert error.evidence.status == int(status.split()[0])
    assert error.evidence.path == "/2.0/user"


@pytest.mark.parametrize(("told", "seconds"), [("30", 30.0), ("soon", None), ("", None)])
def test_a_429_says_how_long_to_wait(told: str, seconds: float | None, settings: Settings) -> None:
    books = CountingLedger()
    talk = says(answer(b"Rate limit", "429 Too Many", "text/plain", Retry_After=told))

    error = failure(talk, settings, ledger=books)

    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds
    assert books.learned == [(None, seconds or 0.0)]


@pytest.mark.parametrize("told", ["Sun, 22 Nov 2099 02:00:00 GMT", "9" * 12, "9" * 400])
def test_no_429_is_believed_for_longer_than_the_hour(told: str, settings: Settings) -> None:
    talk = says(answer(b"", "429 Too Many", Retry_After=told))

    error = failure(talk, settings)

    assert isinstance(error, RateLimited)
    assert error.retry_after == 3600


@pytest.mark.parametrize("told", ["Mon, 01 Jan 2020 00:00:00 +99999999999999999", "no date"])
def test_a_date_that_is_none_breaks_nothing(told: str, settings: Settings) -> None:
    talk = says(answer(b"", "429 Too Many", Retry_After=told, Date=told))

    error = failure(talk, settings)

    assert isinstance(error, RateLimited)
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<html>log in</html>", "text/html", "web page"),
        (b'{"values": [', "application/json", "breaks off"),
        (b'{"ok": true}', "text/plain", "text/plain instead of JSON"),
        (b"[" * 100_000, "application/json", "breaks off"),
        (b"", "application/json", "breaks off"),
    ],
)
def test_an_answer_without_sense_is_told_as_one(
    body: bytes, kind: str, said: str, settings: Settings
) -> None:
    error = failure(says(answer(body, kind=kind)), settings)

    assert isinstance(error, UnexpectedResponse)
    assert said in error.message


@pytest.mark.parametrize(
    "written",
    [rb"\ud800", rb"\uDFFF", rb"\u0000", rb"\ud800\u0000", rb"\uD800\uDBFF", b"\xed\xa0\x80"],
)
def test_text_that_no_database_keeps_is_replaced(written: bytes, settings: Settings) -> None:
    with serving(says(answer(b'{"%s": ["%s"]}' % (written, written)))) as server:
        found = transport_to(server, settings).get("/user").json

    ((name, (text,)),) = found.items()
    assert name == text
    assert set(text) == {"\ufffd"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud83d\ude00", "😀"),
        (rb"\\u0000", r"\u0000"),
        (rb"\u0000\\ud800", "\ufffd" + r"\ud800"),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
    ],
)
def test_text_that_only_looks_so_is_kept(written: bytes, read: str, settings: Settings) -> None:
    with serving(says(answer(b'["%s"]' % written))) as server:
        found = transport_to(server, settings).get("/user").json

    assert found == [read]


def test_an_excerpt_shows_no_secret(settings: Settings) -> None:
    body = f'{{"error": "{SECRET} Bearer abcdefgh1234 https://ada:pw@x.org \\u0000"}}'.encode()

    error = failure(says(answer(body, "400 Bad")), settings)

    assert "•••" in error.evidence.excerpt
    for secret in (SECRET, "abcdefgh1234", "ada:pw"):
        assert secret not in str(error.as_dict())


def test_a_body_that_breaks_off_is_an_error(settings: Settings) -> None:
    def talk(opened: Any) -> None:
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
        opened.close()

    assert isinstance(failure(talk, settings), Unreachable)


def test_nobody_listens(settings: Settings) -> None:
    with serving(says(answer())) as server:
        transport = transport_to(server, settings)
    with pytest.raises(Unreachable, match="refused the connection"):
        transport.get("/user")


def test_a_connection_that_was_closed_meanwhile_is_opened_again(settings: Settings) -> None:
    said = []

    def talk(opened: Any) -> None:
        said.append(1)
        if len(said) == 2:
            opened.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # linger 0: reset
            opened.close()
        else:
            opened.sendall(answer())

    books = CountingLedger()
    with serving(talk) as server:
        transport = transport_to(server, settings, ledger=books)
        transport.get("/a")
        transport.get("/b")

    assert len(books.taken) == 3


def test_a_certificate_that_nobody_signed_is_refused(settings: Settings, tmp_path: Path) -> None:
    with serving(says(answer()), tls=self_signed(tmp_path)) as server:
        settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset({server.host})
        transport = Transport(
            f"https://{server.host}",
            authenticate=put_secret,
            subject="token",
            purpose=Purpose.VERIFY,
            ledger=CountingLedger(),
        )
        with pytest.raises(TlsError):
            transport.get("/user")

    assert server.asked == []


def test_a_private_address_is_not_even_opened(settings: Settings) -> None:
    with serving(says(answer())) as server:
        settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset()
        transport = Transport(
            f"https://localhost:{server.port}",
            authenticate=put_secret,
            subject="token",
            purpose=Purpose.VERIFY,
            ledger=CountingLedger(),
        )
        with pytest.raises(BlockedAddress):
            transport.get("/user")

    assert server.asked == []


def test_netrc_and_proxies_of_the_environment_are_ignored(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password eves-own\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(says(answer(b'{"proxy": 1}'))) as proxy, serving(says(answer())) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        transport_to(server, settings).get("/user")

    assert proxy.asked == []
    assert f"Authorization: Bearer {SECRET}".encode() in server.asked[0]


def test_cookies_are_not_kept(settings: Settings) -> None:
    with serving(says(answer(Set_Cookie="session=1; Path=/"))) as server:
        transport = transport_to(server, settings)
        transport.get("/a")
        transport.get("/b")

    assert b"Cookie" not in server.asked[1]


@pytest.mark.django_db
def test_no_request_is_made_inside_a_transaction(settings: Settings) -> None:
    with serving(says(answer())) as server:
        transport = transport_to(server, settings)
        with transaction.atomic(), pytest.raises(RequestInTransaction):
            transport.get("/user")
        transport.get("/user")

    assert len(server.asked) == 1


def test_a_repr_shows_no_secret(settings: Settings) -> None:
    with serving(says(answer())) as server:
        assert SECRET not in repr(transport_to(server, settings))
