"""Requests to a provider: a transport per entry, a permit per attempt, an error per failure."""

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from django.db import connections

from connections.transport import guard, paging
from connections.transport.answers import Answer, decode, explain, leading_number, nonsense
from connections.transport.causes import caused_by
from connections.transport.errors import (
    BlockedAddress,
    Evidence,
    ProviderError,
    RateLimited,
    TlsError,
    UnexpectedResponse,
    Unreachable,
)
from connections.transport.ledger import Ledger, Purpose, ledger, tally_one
from connections.transport.paging import Parameters
from connections.transport.sockets import GuardedAdapter, Watch

MiB = 1024 * 1024
MAX_BODY = 20 * MiB  # after decompression
DEADLINE = 20.0  # seconds for a whole answer
CONNECT_TIMEOUT = 5.0
MAX_REDIRECTS = 3
USER_AGENT = "Tributary/0.1"
IN_QUERY = re.compile(r"[\w!$%&'()*+,./:;=?@~-]*", re.ASCII)  # RFC 3986, 3.4


class RequestInTransaction(RuntimeError):
    """A request was about to be made while a database transaction was open."""


class Transport:
    """Speaks to one origin in the name of one secret.

    `authenticate` puts the secret into the headers of each request; after a 401 `renew` is given
    those headers, and says whether to ask once more, with another secret. `subject` is what the
    provider counts requests by; an empty one is not counted. `whose` is the organization that asks.
    `patience` is in seconds for all its requests together, from now on. Only answers below 300 come
    back; everything else is raised as a ProviderError.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authenticate: Callable[[MutableMapping[str, str]], None],
        subject: str,
        purpose: Purpose,
        renew: Callable[[Mapping[str, str]], bool] | None = None,
        whose: int = 0,
        ledger: Ledger | None = None,
        explain: Callable[[Answer], ProviderError] = explain,
        deadline: float = DEADLINE,
        max_body: int = MAX_BODY,
        patience: float | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._origin = guard.origin(self.base_url)
        self._authenticate = authenticate
        self._renew = renew
        self._subject = subject
        self._purpose = purpose
        self._whose = whose
        self._ledger = ledger
        self._explain = explain
        self._deadline = deadline
        self._max_body = max_body
        self._ends = None if patience is None else time.monotonic() + patience
        self._adapter = GuardedAdapter()

    def __repr__(self) -> str:
        return f"<Transport to {self.base_url}>"

    def close(self) -> None:
        """Give the sockets back."""
        self._adapter.close()

    def get(self, path_or_url: str, params: Parameters | None = None) -> Answer:
        """Ask for one thing: a path below the base, or an address of the same origin."""
        url = self.url(path_or_url)
        if params:  # commas stand as they are: `fields` has many, and escaped they cost time
            url = f"{url}?{urlencode(params, doseq=True, safe=',')}"
        try:
            return self._follow("GET", url)
        except _Dropped:
            # A kept-open connection was closed by the other end just as we used it again.
            return self._follow("GET", url)

    def post_form(self, path_or_url: str, data: Parameters) -> Answer:
        """Send a form once; it is never sent a second time on its own."""
        return self._follow("POST", self.url(path_or_url), data=data)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Write something, once: PUT, POST or DELETE, with JSON where there is a body."""
        return self._follow(method, self.url(path), json=body)

    def url(self, path_or_url: str) -> str:
        """The whole address. Raises BlockedAddress for one of another origin."""
        if path_or_url.startswith("/"):
            return self.base_url + path_or_url
        if guard.origin(path_or_url) != self._origin:
            raise BlockedAddress("Bitbucket pointed to another host. The secret is not sent there.")
        return path_or_url

    def pages(self, path_or_url: str, params: Parameters | None = None) -> Iterator[Answer]:
        """Every page of a listing. See connections.transport.paging."""
        return paging.pages(self.get, path_or_url, params)

    def _follow(self, method: str, url: str, **content: Any) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._attempt(method, url, **content)
            if answer.status < 300:
                return answer
            location = answer.headers.get("Location", "")
            if not 300 <= answer.status < 400 or not location or method != "GET":
                raise self._explain(answer)
            url, content = self.url(guard.onward(answer.url, location)), {}
        raise UnexpectedResponse(
            "Bitbucket sends us from one address to the next without an end.",
            evidence=answer.evidence(),
        )

    def _attempt(self, method: str, url: str, **content: Any) -> Answer:
        refuse_inside_transaction()
        guard.check_url(url)
        sent = self._headers()
        answer = self._ask(method, url, sent, **content)
        if answer.status == 401 and self._renew is not None and self._renew(sent):
            answer = self._ask(method, url, self._headers(), **content)
        return _decoded(answer) if answer.status < 300 else answer

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        headers["Accept-Encoding"] = "gzip"
        self._authenticate(headers)
        return headers

    def _ask(self, method: str, url: str, headers: dict[str, str], **content: Any) -> Answer:
        request = _prepared(method, url, headers, **content)
        if self._subject:
            self._books().take(self._subject, purpose=self._purpose, whose=self._whose)
        tally_one()
        answer = self._exchange(request)
        self._learn(answer)
        return answer

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        asked = Evidence(method=str(request.method), path=_path(str(request.url)))
        started = time.monotonic()
        seconds = self._seconds(started)
        if seconds <= 0:
            raise Unreachable("Bitbucket was too slow: no time was left to ask.", evidence=asked)
        with Watch(seconds) as watch:
            try:
                response = self._adapter.send(
                    request, stream=True, timeout=(min(CONNECT_TIMEOUT, seconds), seconds)
                )
                with closing(response):
                    body = self._body(response, asked)
                if watch.expired:  # cut off between two lines, which reads like an end
                    raise TimeoutError
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                ms = _milliseconds(started)
                raise self._failure(error, watch, seconds, replace(asked, ms=ms)) from None
        return Answer(
            method=asked.method,
            url=str(request.url),
            path=asked.path,
            status=response.status_code,
            headers=response.headers,
            body=body,
            ms=_milliseconds(started),
        )

    def _seconds(self, moment: float) -> float:
        """How long the next answer may take."""
        left = self._deadline if self._ends is None else self._ends - moment
        return min(self._deadline, left)

    def _body(self, response: requests.Response, asked: Evidence) -> bytes:
        parts, size = [], 0
        for part in response.raw.stream(256 * 1024, decode_content=True):
            size += len(part)
            if size > self._max_body:
                told = f"Bitbucket's answer is larger than {self._max_body / MiB:g} MiB."
                raise UnexpectedResponse(told, evidence=replace(asked, status=response.status_code))
            parts.append(part)
        return b"".join(parts)

    def _failure(
        self, error: Exception, watch: Watch, seconds: float, asked: Evidence
    ) -> Exception:
        timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
        if watch.expired or any(caused_by(error, kind) for kind in timeouts):
            return Unreachable(
                f"Bitbucket did not answer within {seconds:.3g} seconds.", evidence=asked
            )
        if caused_by(error, ssl.SSLError):
            return TlsError(
                "No trusted connection to Bitbucket: its certificate was not accepted.",
                evidence=asked,
            )
        if caused_by(error, ConnectionResetError) or caused_by(error, BrokenPipeError):
            return _Dropped("Bitbucket closed the connection.", evidence=asked)
        if caused_by(error, ConnectionRefusedError):
            return Unreachable("Bitbucket refused the connection.", evidence=asked)
        return Unreachable("Bitbucket's answer broke off or never came.", evidence=asked)

    def _learn(self, answer: Answer) -> None:
        if not self._subject:
            return
        limit = leading_number(answer.headers.get("X-RateLimit-Limit", ""))
        if answer.status == 429:
            error = explain(answer)
            wait = error.retry_after if isinstance(error, RateLimited) else None
            self._books().learn(self._subject, limit=limit, refused_for=wait or 0.0)
        elif limit is not None and answer.status < 400:  # a 401 tells that of anonymous ones
            self._books().learn(self._subject, limit=limit)

    def _books(self) -> Ledger:
        if self._ledger is None:
            self._ledger = ledger()
        return self._ledger


class _Dropped(Unreachable):
    """The connection was closed before an answer came."""


def refuse_inside_transaction() -> None:
    """Raise RequestInTransaction where a slow answer would hold locks.

    The blocks that Django's test cases wrap around a test do not count.
    """
    for connection in connections.all(initialized_only=True):
        blocks = connection.atomic_blocks
        if any(not getattr(block, "_from_testcase", False) for block in blocks):
            raise RequestInTransaction("No request may be made inside a database transaction.")


def _prepared(
    method: str, url: str, headers: dict[str, str], **content: Any
) -> requests.PreparedRequest:
    """The request. A query of nothing but what may stand in one is sent as it is: `fields` makes it
    long, and requests would look at each of its characters three times.
    """
    address, mark, query = url.partition("?")
    if not IN_QUERY.fullmatch(query):
        return requests.Request(method, url, headers=headers, **content).prepare()
    request = requests.Request(method, address, headers=headers, **content).prepare()
    request.url = f"{request.url}{mark}{query}"
    return request


def _decoded(answer: Answer) -> Answer:
    content_type = answer.headers.get("Content-Type", "")
    try:
        if not answer.body and answer.status != 204:
            raise ValueError("empty")
        return replace(answer, json=decode(answer.body, content_type), body=b"")
    except ValueError:
        raise nonsense(answer.evidence(), content_type) from None


def _path(url: str) -> str:
    """What was asked for: without `fields`, the long list of what is wanted of each record."""
    parts = urlsplit(url)
    asked = [one for one in parts.query.split("&") if one and not one.startswith("fields=")]
    return f"{parts.path}?{'&'.join(asked)}" if asked else parts.path


def _milliseconds(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
