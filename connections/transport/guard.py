"""Which addresses may be spoken to. Asked for every URL, and again when the socket opens."""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

from connections.transport.errors import BlockedAddress, Unreachable

Resolve = Callable[[str, int], Iterable[tuple[Any, ...]]]
_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: an IPv4 address in its last 32 bits
# What Python counts as global, or only later versions of it do not, and no provider lives at.
_NOT_OF_THE_INTERNET = (
    IPv4Network("192.0.0.0/24"),  # of the IETF; the metadata of Oracle's cloud is there
    IPv4Network("168.63.129.16/32"),  # every machine of Azure reaches its WireServer there
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of a network's own (RFC 8215)
)


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """What the resolver knows of a host, as `socket.getaddrinfo` gives it."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def is_allowed_private(host: str, port: int) -> bool:
    """Whether the operator named this host and port; such a place may also speak plain HTTP."""
    name = f"[{host}]" if ":" in host else host
    return f"{name.lower()}:{port}" in settings.CONNECTION_ALLOWED_PRIVATE_HOSTS


def is_public(address: str) -> bool:
    """Whether this is an address of the public internet, in whatever notation it hides."""
    try:
        plain = _unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if isinstance(plain, IPv6Address) and plain.is_site_local:
        return False
    if any(plain in network for network in _NOT_OF_THE_INTERNET):
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour
    return inner or address


def check_url(url: str) -> SplitResult:
    """Refuse an address that no request may go to, before anything is looked up.

    HTTPS, except to hosts that the operator named; no user name in it. Raises BlockedAddress.
    """
    try:
        parts = urlsplit(url)
        port = port_of(parts)
    except ValueError:
        raise BlockedAddress("This address cannot be read.") from None
    host = parts.hostname or ""
    if not host or parts.scheme not in {"http", "https"}:
        raise BlockedAddress("An address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise BlockedAddress("An address must not hold a user name or password.")
    if parts.scheme == "http" and not is_allowed_private(host, port):
        raise BlockedAddress(f"{host} is asked over HTTPS only: a secret must not travel openly.")
    return parts


def port_of(parts: SplitResult) -> int:
    """The port of an address, named or by its scheme."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Two addresses of one origin may get the same secret."""
    parts = check_url(url)
    return parts.scheme, (parts.hostname or "").lower(), port_of(parts)


def onward(url: str, location: str) -> str:
    """Where a redirect or a `next` leads. Raises BlockedAddress."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise BlockedAddress("Bitbucket sends us to an address that cannot be read.") from None


def addresses(host: str, port: int, *, lookup: Resolve = resolve) -> list[tuple[Any, ...]]:
    """Look a host up once, and answer only if every address of it may be spoken to.

    The socket is opened to what was checked here, so a name that changes its mind in between
    (DNS rebinding) gains nothing. Raises BlockedAddress, Unreachable.
    """
    try:
        found = list(lookup(host, port))
    except (OSError, UnicodeError):
        raise Unreachable(f"The name {host} is not known to the name service.") from None
    if is_allowed_private(host, port):
        return found
    for *_, target in found:
        if not is_public(str(target[0])):
            raise BlockedAddress(
                f"{host} leads to an address inside a private network. An operator can allow it "
                f"by naming {host}:{port} in CONNECTION_ALLOWED_PRIVATE_HOSTS."
            )
    return found
