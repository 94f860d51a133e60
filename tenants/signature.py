"""AWS's Signature Version 4, checked. Plain values in; an error says what does not fit.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

ALGORITHM = "AWS4-HMAC-SHA256"
TOLERATED = timedelta(minutes=5)  # between the sender's clock and ours
INSTANT = "%Y%m%dT%H%M%SZ"
# Headers that decide what a request does: each must be signed where it is sent.
DECISIVE = frozenset({"host", "x-amz-date", "x-amz-target", "x-amz-content-sha256", "content-type"})
_HEADER = re.compile(
    r"Credential=(?P<key>\w{16,128})/(?P<day>[0-9]{8})/(?P<region>[^/,\s]{1,64})/"
    r"(?P<service>[^/,\s]{1,64})/aws4_request,\s*"
    r"SignedHeaders=(?P<headers>[a-z0-9;_-]{1,2000}),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


class NotSigned(Exception):
    """The request carries no signature that can be read."""


class DoesNotMatch(Exception):
    """The signature is of another request, of another time, or made with another secret."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A request as it came. Header names are in small letters; `path` is as it was sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the header `Authorization` says: who signed what, for which service, and how."""

    key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def read_claim(headers: Mapping[str, str]) -> Claim:
    """The claim of a request. Raises NotSigned."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if not rest:
        raise NotSigned("Missing Authentication Token")
    found = _HEADER.fullmatch(rest.strip()) if scheme == ALGORITHM else None
    if found is None:
        raise NotSigned(
            f"Authorization header must be {ALGORITHM} with Credential, SignedHeaders and "
            "Signature, and the credential must end in region/service/aws4_request."
        )
    return Claim(
        key_id=found["key"],
        day=found["day"],
        region=found["region"],
        service=found["service"],
        signed_headers=tuple(found["headers"].split(";")),
        signature=found["signature"],
    )


def check(
    claim: Claim, request: Signed, *, secret: str, hosts: Iterable[str], now: datetime
) -> None:
    """Raise DoesNotMatch unless this secret signed this request within the last five minutes.

    `hosts` are the names under which we are reached: behind a proxy the signed one is not the one
    that arrives.
    """
    unsigned = sorted((DECISIVE & set(request.headers)) - set(claim.signed_headers))
    if unsigned or "host" not in claim.signed_headers:
        raise DoesNotMatch(f"These headers must be signed: {', '.join(unsigned or ['host'])}.")
    _check_time(claim, request.headers.get("x-amz-date", ""), now)
    payload = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", payload) != payload:
        raise DoesNotMatch(
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    given = claim.signature.encode()
    matches = [
        hmac.compare_digest(given, _signature(claim, request, host, payload, secret).encode())
        for host in hosts
    ]
    if not any(matches):
        raise DoesNotMatch(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. "
            "Consult the service documentation for details."
        )


def _check_time(claim: Claim, date: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(date, INSTANT).replace(tzinfo=UTC)
    except ValueError:
        raise DoesNotMatch("The header X-Amz-Date must be there, as 20270131T080000Z.") from None
    if claim.day != f"{signed_at:%Y%m%d}":
        raise DoesNotMatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 date.")
    earliest, latest = now - TOLERATED, now + TOLERATED
    if signed_at < earliest:
        raise DoesNotMatch(
            f"Signature expired: {date} is now earlier than {earliest.strftime(INSTANT)} "
            f"({now.strftime(INSTANT)} - 5 min.)"
        )
    if signed_at > latest:
        raise DoesNotMatch(
            f"Signature not yet current: {date} is still later than {latest.strftime(INSTANT)} "
            f"({now.strftime(INSTANT)} + 5 min.)"
        )


def _signature(claim: Claim, request: Signed, host: str, payload: str, secret: str) -> str:
    headers = {**request.headers, "host": host}
    canonical = "\n".join(
        [
            request.method,
            quote(request.path, safe="/-_.~"),
            _canonical_query(request.query),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in claim.signed_headers),
            "",
            ";".join(claim.signed_headers),
            payload,
        ]
    )
    date = request.headers["x-amz-date"]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join([ALGORITHM, date, claim.scope, digest])
    return _hmac(_signing_key(claim, secret), to_sign).hex()


def _signing_key(claim: Claim, secret: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claim.day, claim.region, claim.service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    coded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in coded)
