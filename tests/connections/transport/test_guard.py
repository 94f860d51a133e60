"""Which addresses may be spoken to."""

import socket

import pytest
from pytest_django.fixtures import Settings

from connections.transport import guard
from connections.transport.errors import BlockedAddress, Unreachable


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",  # metadata of clouds
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fec0::1",  # site-local, as private networks once used it
        "ff02::1",
        "::ffff:127.0.0.1",  # IPv4 in IPv6
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:a9fe:a9fe::",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",  # NAT64 of a network's own
        "::ffff:0:7f00:1",  # translated by SIIT
        "::127.0.0.1",  # IPv4-compatible
        "2001:0:7f00:1::",  # Teredo
        "100.100.100.200",  # metadata of Alibaba
        "168.63.129.16",  # of Azure, at a public address
        "192.0.0.192",  # of Oracle
        "169.254.170.2",  # of ECS tasks
        "198.18.0.1",
        "240.0.0.1",
        "not an address",
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", ["104.192.141.1", "2606:4700::6810:85e5", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert guard.is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",  # decimal
        "0177.0.0.1",  # octal
        "0x7f.1",
        "127.1",
        "localhost",
        "::ffff:127.0.0.1",
        "0",
        "0x7f000001",
        "017700000001",
        "0xa9fea9fe",  # 169.254.169.254
        "169.254.43518",
    ],
)
def test_names_that_lead_inside_are_blocked_in_every_notation(host: str) -> None:
    with pytest.raises(BlockedAddress):
        guard.addresses(host, 443)


def test_a_name_with_one_private_address_among_public_ones_is_blocked() -> None:
    def both(host: str, port: int) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("104.192.141.1", port)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port)),
        ]

    with pytest.raises(BlockedAddress):
        guard.addresses("rebind.example.com", 443, lookup=both)


def test_what_was_checked_is_what_is_opened() -> None:
    """A name that changes its mind between the check and the opening is asked once only."""
    asked = []

    def changing(host: str, port: int) -> list[tuple[object, ...]]:
        asked.append(host)
        address = "104.192.141.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    found = guard.addresses("rebind.example.com", 443, lookup=changing)

    assert [target[0] for *_, target in found] == ["104.192.141.1"]
    assert asked == ["rebind.example.com"]


def test_an_unknown_name_is_unreachable() -> None:
    def unknown(host: str, port: int) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(Unreachable, match="no-such-name"):
        guard.addresses("no-such-name.invalid", 443, lookup=unknown)


def test_the_operator_allows_a_host_with_its_port_only(settings: Settings) -> None:
    settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset({"127.0.0.1:8443"})

    assert guard.addresses("127.0.0.1", 8443)
    with pytest.raises(BlockedAddress):
        guard.addresses("127.0.0.1", 8444)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.bitbucket.org/2.0/user",
        "ftp://api.bitbucket.org/",
        "file:///etc/passwd",
        "https://user:secret@api.bitbucket.org/",
        "https://",
        "https://[::1",
        "https://api.bitbucket.org:99999/",
        "api.bitbucket.org",
    ],
)
def test_addresses_that_no_request_may_go_to(url: str) -> None:
    with pytest.raises(BlockedAddress) as caught:
        guard.check_url(url)

    assert "secret" not in str(caught.value) or "a secret must" in str(caught.value)


def test_origins_differ_by_scheme_host_and_port() -> None:
    assert guard.origin("https://API.bitbucket.org/x") == ("https", "api.bitbucket.org", 443)
    assert guard.origin("https://api.bitbucket.org:443/y") == guard.origin(
        "https://api.bitbucket.org/"
    )
