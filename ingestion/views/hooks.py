"""Where webhooks deliver to: no session, no form token, no redirect. A signature is the only key.

It answers as soon as the delivery is stored; a worker does the rest.
"""

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from typing import Any, NoReturn
from uuid import UUID

from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from connections.models import Connection
from connections.selectors import webhook_secrets
from ingestion.services.deliveries import Received, receive
from tenants import access
from tenants.actor import client_address, request_id

LARGEST = 2 * 1024 * 1024  # bytes of a body
REFUSED_A_MINUTE = 60  # deliveries of one sender, before it is not heard out
MOST_SENDERS = 10_000  # that are counted in a minute; further ones are heard out
TOLD = ("X-Event-Key", "X-Hook-UUID", "X-Request-UUID", "X-Request-Id", "X-Attempt-Number")
KEPT = (*TOLD, "X-Event-Time", "User-Agent", "Content-Type")
LONGEST_HEADER = 300  # characters that are kept of one
NAME = 100  # characters of a request's id, and of an event
MOST_ATTEMPTS, DIGITS = 1_000, 4
PING = "diagnostics:ping"  # Data Center's test


class Refused(Exception):
    """The delivery is not taken."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@csrf_exempt
def deliver(request: HttpRequest, connector: str, public_id: str) -> JsonResponse:
    """Take one delivery: 200 when it is stored, or was before."""
    try:
        _deliver(request, connector, public_id)
    except Refused as refused:
        told = {"ok": False, "error": refused.code, "message": refused.message}
        answer = JsonResponse(told | {"request_id": request_id(request)}, status=refused.status)
        if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
            answer["Retry-After"] = "60"
        elif refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
            answer["Allow"] = "POST"
        return answer
    return JsonResponse({"ok": True})


def _deliver(request: HttpRequest, connector: str, public_id: str) -> None:
    if request.method != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "Deliveries are POSTed.")
    sender = _sender(request, public_id)
    if _refusals.is_full(sender):
        message = "Too many deliveries from here were refused. Try again in a minute."
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", message)
    try:
        _take(request, _connection(connector, public_id))
    except Refused:
        _refusals.count(sender)
        raise


def _sender(request: HttpRequest, public_id: str) -> str:
    """Who is counted where it is refused: one webhook, at one address, for one connection. All of
    Bitbucket's come from the same few addresses, so one with a wrong secret must not stop another.
    """
    hook = request.headers.get("X-Hook-UUID", "")
    return f"{client_address(request)} {public_id[:NAME]} {hook[:NAME]}"


def _connection(connector: str, public_id: str) -> Connection:
    """One that is not deleted. Nobody is told whether it is there under another connector."""
    try:
        key = UUID(public_id)
    except ValueError:
        _unknown()
    found: Connection | None = Connection.objects.filter(public_id=key, deleted_at=None).first()
    if (
        found is None or found.connector != connector
    ):  # compared here: it may hold what no query may
        _unknown()
    return found


def _unknown() -> NoReturn:
    message = "There is no such connection."
    raise Refused(HTTPStatus.NOT_FOUND, "connection_not_found", message)


def _take(request: HttpRequest, connection: Connection) -> None:
    raw = _read(request)
    signature = request.headers.get("X-Hub-Signature", "")
    if not signature and _is_ping(request, raw):
        return
    with access.enter(connection.organization_id):
        if not is_signed(raw, signature, webhook_secrets(connection)):
            message = "The signature is missing, or made with another secret."
            raise Refused(HTTPStatus.UNAUTHORIZED, "invalid_signature", message)
        if not _is_ping(request, raw):
            receive(connection=connection, received=_received(request, raw))


def _read(request: HttpRequest) -> bytes:
    """The body as it came, which is what was signed."""
    too_large = Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "A delivery may have 2 MiB at most."
    )
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
            raise too_large
        raw = request.read(LARGEST + 1)
    except (UnreadablePostError, ValueError):
        message = "The body broke off."
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", message) from None
    if len(raw) > LARGEST:
        raise too_large
    return raw


def is_signed(raw: bytes, signature: str, secrets: tuple[str, ...]) -> bool:
    """Whether `X-Hub-Signature` was made of these bytes with one of the secrets. Where there is
    none, nothing is signed. Each is tried, so that the time tells nothing.
    """
    given = signature.encode("utf-8", "replace")
    fits = [
        hmac.compare_digest(
            b"sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().encode(), given
        )
        for secret in secrets
    ]
    return any(fits)


def _is_ping(request: HttpRequest, raw: bytes) -> bool:
    """Data Center's test of a webhook. It may come before the secret is set there, when nothing is
    signed; nothing of it is stored, so it is answered all the same. A wrong signature is refused:
    whoever tests wants to know.
    """
    if request.headers.get("X-Event-Key") == PING:
        return True
    return len(raw) < NAME and raw.replace(b" ", b"").strip() == b'{"test":true}'


def _received(request: HttpRequest, raw: bytes) -> Received:
    headers = request.headers
    text, body = _decoded(raw)
    known = headers.get("X-Request-UUID") or headers.get("X-Request-Id") or ""
    if not 0 < len(known) <= NAME:
        known = hashlib.sha256(raw).hexdigest()
    return Received(
        event=_kept(str(headers.get("X-Event-Key") or body.get("eventKey") or "")[:NAME]),
        request_id=known,
        attempt=_attempt(headers.get("X-Attempt-Number", "")),
        headers={name: headers[name][:LONGEST_HEADER] for name in KEPT if name in headers},
        text=text,
        body=body,
    )


def _attempt(told: str) -> int:
    """Which attempt the sender says it is; the first, where it says no such thing."""
    return min(int(told[:DIGITS]), MOST_ATTEMPTS) if told.isdecimal() else 1


def _kept(text: str) -> str:
    """The text as any database keeps it: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _decoded(raw: bytes) -> tuple[str, dict[str, Any]]:
    """The body as text, and what it says: an object."""
    try:
        text = raw.decode("utf-8")
        body = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        message = "The body is not valid JSON."
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", message) from None
    if not isinstance(body, dict):
        message = "The body is not a JSON object."
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", message)
    return text, body


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity are Python's, and no JSON."""
    raise ValueError(name)


class Refusals:
    """How many deliveries of a sender this process refused in the present minute."""

    clock: Callable[[], float] = time.monotonic

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._counts = Counter[str]()

    def is_full(self, sender: str) -> bool:
        """Whether it is not heard out any more."""
        return self._now()[sender] >= REFUSED_A_MINUTE

    def count(self, sender: str) -> None:
        """One more was refused."""
        with self._lock:
            counts = self._now()
            if sender in counts or len(counts) < MOST_SENDERS:
                counts[sender] += 1

    def forget(self) -> None:
        """Begin anew: for tests."""
        self._minute = 0

    def _now(self) -> "Counter[str]":
        minute = int(self.clock() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        return self._counts


_refusals = Refusals()
forget_refusals = _refusals.forget
