"""Where a listing or a redirect leads: on, in a circle, elsewhere."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from connections.transport.errors import BlockedAddress, UnexpectedResponse
from tests.connections.ledgers import CountingLedger
from tests.connections.transport.asking import failure, transport_to
from tests.connections.transport.servers import answer, says, serving


def test_a_redirect_on_the_same_host_is_followed_with_a_permit_of_its_own(
    settings: Settings,
) -> None:
    steps = [answer(b"", "302 Found", Location="/2.0/moved"), answer(b'{"here": 1}')]

    def talk(opened: Any) -> None:
        opened.sendall(steps.pop(0))

    books = CountingLedger()
    with serving(talk) as server:
        found = transport_to(server, settings, ledger=books).get("/user")

    assert found.json == {"here": 1}
    assert b"GET /2.0/moved " in server.asked[1]
    assert len(books.taken) == 2


def test_a_redirect_elsewhere_gets_no_secret(settings: Settings) -> None:
    with serving(says(answer(b'{"stolen": 1}'))) as thief:
        talk = says(answer(b"", "302 Found", Location=f"http://{thief.host}/2.0/user"))

        error = failure(talk, settings)

    assert isinstance(error, BlockedAddress)
    assert thief.asked == []


@pytest.mark.parametrize(
    "address",
    ["http://[::1", "http://HOST:80/", r"http://HOST\.elsewhere/", "//u@HOST/", "mailto:x"],
)
def test_a_redirect_that_cannot_be_read_is_refused(address: str, settings: Settings) -> None:
    def talk(opened: Any) -> None:
        location = address.replace("HOST", server.host)
        opened.sendall(answer(b"", "302 Found", Location=location))

    with serving(talk) as server, pytest.raises(BlockedAddress):
        transport_to(server, settings).get("/user")
    assert len(server.asked) == 1


def test_redirects_in_a_circle_end(settings: Settings) -> None:
    error = failure(says(answer(b"", "302 Found", Location="/2.0/user")), settings)

    assert isinstance(error, UnexpectedResponse)
    assert "without an end" in error.message


def pages(settings: Settings, *bodies: str) -> list[Any]:
    left = list(bodies)

    def talk(opened: Any) -> None:
        body = left.pop(0) if len(left) > 1 else left[0]
        opened.sendall(answer(body.replace("HOST", f"http://{server.host}/2.0").encode()))

    with serving(talk) as server:
        transport = transport_to(server, settings)
        return [value for page in transport.pages("/list") for value in page.json["values"]]


def test_a_listing_is_followed_to_its_end(settings: Settings) -> None:
    found = pages(
        settings,
        '{"values": [{"id": 1}], "next": "HOST/list?page=8xhd"}',
        '{"values": [], "next": "HOST/list?page=9"}',
        '{"values": [{"id": 2}]}',
    )

    assert found == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    "bodies",
    [
        ['{"values": [{"id": 1}], "next": "HOST/list?page=2"}'],
        ['{"values": [], "next": "HOST/list?page=1"}'],
        [f'{{"values": [], "next": "HOST/list?page={n}"}}' for n in range(20)],
        [f'{{"values": [{{"id": {n % 3}}}], "next": "HOST/list?page={n}"}}' for n in range(20)],
    ],
    ids=["the same page", "the same address", "empty for ever", "three pages in turn"],
)
def test_a_listing_without_an_end_is_an_error(bodies: list[str], settings: Settings) -> None:
    with pytest.raises(UnexpectedResponse, match="no end"):
        pages(settings, *bodies)


@pytest.mark.parametrize("body", ["[]", "{}", '{"values": {}}', '{"values": [1]}', "null"])
def test_a_page_without_a_list_is_an_error(body: str, settings: Settings) -> None:
    with pytest.raises(UnexpectedResponse, match="without the list"):
        pages(settings, body)


@pytest.mark.parametrize("following", ["5", "{}", '["HOST/list?page=2"]', "false"])
def test_a_next_that_is_no_address_is_not_the_end(following: str, settings: Settings) -> None:
    with pytest.raises(UnexpectedResponse, match="does not say where"):
        pages(settings, f'{{"values": [{{"id": 1}}], "next": {following}}}')


@pytest.mark.parametrize("following", ["/2.0/list?page=2", "?page=2", "list?page=2"])
def test_a_next_without_a_host_is_read_as_a_browser_does(
    following: str, settings: Settings
) -> None:
    bodies = [f'{{"values": [], "next": "{following}"}}', '{"values": []}']

    def talk(opened: Any) -> None:
        opened.sendall(answer(bodies.pop(0).encode()))

    with serving(talk) as server:
        list(transport_to(server, settings).pages("/list"))

    assert b"GET /2.0/list?page=2 " in server.asked[1]


@pytest.mark.parametrize(
    "following",
    [
        "//evil.example/2.0/list",
        "http://[::1",
        "https://evil.example/2.0/list",
        "http://127.0.0.1:1/2.0/list",
        "ftp://x",
    ],
)
def test_a_listing_does_not_lead_elsewhere(following: str, settings: Settings) -> None:
    with pytest.raises(BlockedAddress):
        pages(settings, f'{{"values": [{{"id": 1}}], "next": "{following}"}}')


def test_a_page_nested_deeper_than_any_record_is_an_error(settings: Settings) -> None:
    deep = b"[" * 600 + b"]" * 600
    body = b'{"values": [{"id": %s}]}' % deep

    with serving(says(answer(body))) as server:
        pages = transport_to(server, settings).pages("/repositories/acme")
        with pytest.raises(UnexpectedResponse):
            next(pages)
