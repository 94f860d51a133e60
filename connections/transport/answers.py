"""What came back: a decoded answer, or the error that it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from connections.transport.errors import (
    BadRequest,
    Evidence,
    Gone,
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from connections.transport.removals import Removal, announced

EXCERPT = 300  # characters of an answer that are kept as evidence
LONGEST_WAIT = 3_600.0  # seconds: Bitbucket counts a rolling hour, whatever a `Retry-After` says
_SECRETS = re.compile(
    r"AT(?:ATT|CTT|BB)[\w=.+/-]+"  # Atlassian's tokens by their prefixes
    r"|eyJ[\w-]{8,}[\w.=-]*"  # JSON Web Tokens
    r"|(?i:bearer|basic)\s+[\w=.+/-]{8,}"
    r"|(?<=://)[^/\s@\"]+@"  # user names in addresses
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer. `json` is an object or a list, None where the body is empty.

    `ms` is the time from asking to the last byte. `date` is the provider's own clock.
    """

    method: str
    url: str
    path: str  # with the query, but for `fields`
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    ms: int
    json: Any = field(default=None, repr=False)

    @property
    def date(self) -> datetime | None:
        """The answer's `Date`, which is Bitbucket's clock, to the second."""
        try:
            found = parsedate_to_datetime(self.headers.get("Date", ""))
        except (ValueError, OverflowError):
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the secret may do, as Bitbucket tells it with each answer."""
        return words(self.headers.get("X-OAuth-Scopes", ""))

    @property
    def removal(self) -> Removal | None:
        """What it says of the end of its endpoint."""
        return announced(self.headers)

    def evidence(self) -> Evidence:
        """What a person may be shown of this answer."""
        return Evidence(
            method=self.method,
            path=self.path,
            status=self.status,
            ms=self.ms,
            trace_id=self.headers.get("Atl-Traceid", "")[:100],
            excerpt=excerpt(self.body),
        )


def words(text: str) -> tuple[str, ...]:
    """The names in a list that is parted by commas or blanks."""
    return tuple(word for word in re.split(r"[,\s]+", text) if word)


def excerpt(body: bytes) -> str:
    """The beginning of a body as text that is safe to show: no secrets, no control characters."""
    text = body[: EXCERPT * 4].decode("utf-8", "replace")
    text = "".join(char if char.isprintable() else " " for char in text)
    return without_secrets(text)[:EXCERPT].strip()


def without_secrets(text: str) -> str:
    """The text with everything that looks like a secret struck out."""
    return _SECRETS.sub("•••", text)


def decode(body: bytes, content_type: str) -> Any:
    """The JSON of a body, with text that any database keeps. Raises ValueError.

    Bitbucket passes on NUL and lone surrogates that people typed: each becomes U+FFFD.
    """
    if not body:
        return None
    if "json" not in content_type.lower():
        raise ValueError("not JSON")
    if b"\\u0000" in body:
        body = _mended(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # for a lone surrogate, among other things
        return orjson.loads(_mended(body))


def _mended(body: bytes) -> bytes:
    """A body in which no text holds NUL, lone surrogates, or bytes that are no UTF-8."""
    return _ESCAPES.sub(_kept, body.decode("utf-8-sig", "replace").encode())


# An escaped backslash, NUL, a pair of surrogates, a lone one.
_ESCAPES = re.compile(
    rb"(?P<fine>\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def _kept(escape: re.Match[bytes]) -> bytes:
    return escape["fine"] or rb"\ufffd"


def nonsense(evidence: Evidence, content_type: str) -> UnexpectedResponse:
    """The error for an answer that cannot be read."""
    if "html" in content_type.lower():
        said = "answered with a web page instead of data; often that is a proxy or a login page"
    elif "json" not in content_type.lower():
        said = f"answered with {content_type.split(';')[0] or 'no type'} instead of JSON"
    else:
        said = "sent an answer that breaks off or is not JSON"
    return UnexpectedResponse(f"Bitbucket {said}.", evidence=evidence)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds a 429 asks to wait: `Retry-After` in seconds or as a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_WAIT)


def leading_number(value: str) -> int | None:
    """The number at the start of a header: recorded ones read `60, 60;w=3600`."""
    found = re.match(r"\s*(\d{1,9})", value)
    return int(found[1]) if found else None


_BY_STATUS: dict[int, tuple[type[ProviderError], str]] = {
    401: (InvalidCredentials, "Bitbucket refused this secret (401)."),
    403: (InvalidPermissions, "Bitbucket does not allow this (403)."),
    404: (NotFound, "Bitbucket does not find this, or does not show it to this secret (404)."),
    410: (Gone, "Bitbucket has removed this endpoint (410)."),
}


def explain(answer: Answer) -> ProviderError:
    """The error that an answer with a status of 300 or above is. Connectors refine it."""
    evidence = answer.evidence()
    if answer.status in _BY_STATUS:
        kind, message = _BY_STATUS[answer.status]
        return kind(message, evidence=evidence)
    if answer.status == 429:
        return RateLimited(
            "Bitbucket asks to wait: the limit of requests is reached (429).",
            retry_after=retry_after(answer.headers, datetime.now(UTC)),
            evidence=evidence,
        )
    if answer.status >= 500:
        return Unavailable(
            f"Bitbucket has trouble of its own ({answer.status}).", evidence=evidence
        )
    return BadRequest(f"Bitbucket rejected the request ({answer.status}).", evidence=evidence)
