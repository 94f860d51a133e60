"""/2.0: from a request to an answer, through authentication, quota and scopes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from tests.sandbox.answers import Answer, Refused, error, lacks_scopes
from tests.sandbox.auth import authenticate, describe, lacks
from tests.sandbox.partial import trim
from tests.sandbox.quota import ANONYMOUS_LIMIT
from tests.sandbox.routes import (
    builds,
    catalogue,
    commits,
    hooks,
    people,
    pull_requests,
    repositories,
)
from tests.sandbox.routes.call import Call, Endpoint
from tests.sandbox.site import Site
from tests.sandbox.tokens import Token

ENDPOINTS: tuple[Endpoint, ...] = (
    *catalogue.ENDPOINTS,
    *people.ENDPOINTS,
    *repositories.ENDPOINTS,
    *pull_requests.ENDPOINTS,
    *commits.ENDPOINTS,
    *builds.ENDPOINTS,
    *hooks.ENDPOINTS,
)


@dataclass(slots=True)
class Incoming:
    """An HTTP request as the web server hands it over: `path` still percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    token: Token | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the query."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a posted form."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


class Api:
    """The endpoints, found by the number of segments and then by pattern."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.table: dict[int, list[tuple[re.Pattern[str], Endpoint]]] = {}
        for endpoint in ENDPOINTS:
            row = (endpoint.pattern(), endpoint)
            self.table.setdefault(endpoint.path.count("/"), []).append(row)

    def answer(self, request: Incoming) -> Answer:
        """The whole way; refusals of any kind are answers too."""
        try:
            return self._answer(request)
        except Refused as refusal:
            return refusal.answer

    def _answer(self, request: Incoming) -> Answer:
        site = self.site
        token = authenticate(request.headers.get("authorization"), site.tokens, site.clock)
        request.token = token
        limited = (
            site.quota.take(token.subject)
            if token
            else site.quota.take("anonymous", min(ANONYMOUS_LIMIT, site.quota.limit))
        )
        if limited:
            return limited
        endpoint, names = self._find(request)
        answer = self._serve(request, endpoint, names)
        if token:
            answer.headers |= describe(token, endpoint.classic, endpoint.granular)
            answer.headers |= site.quota.describe(token)
        return answer

    def _find(self, request: Incoming) -> tuple[Endpoint, tuple[str, ...]]:
        path = request.path.removeprefix("/2.0").rstrip("/")
        if "{" in path or "}" in path:
            raise Refused(error(400, "Bad request", detail="Braces must be percent-encoded."))
        is_known = False
        for pattern, endpoint in self.table.get(path.count("/"), ()):
            match = pattern.fullmatch(path)
            if match and request.method in endpoint.methods:
                return endpoint, tuple(unquote(name) for name in match.groups())
            is_known = is_known or match is not None
        if is_known:
            raise Refused(error(405, "Method not allowed"))
        raise Refused(
            error(404, "Resource not found", detail="There is no API hosted at this URL.")
        )

    def _serve(self, request: Incoming, endpoint: Endpoint, names: tuple[str, ...]) -> Answer:
        token = request.token
        missing = lacks(token, endpoint.classic, endpoint.granular) if token else ()
        if token and missing:
            return lacks_scopes(missing, token.scopes)
        call = Call(
            self.site,
            request.method,
            request.path,
            request.pairs,
            names,
            token,
            request.form,
            request.body,
        )
        try:
            return trim(endpoint.handler(call), call.pairs)
        except Refused as refusal:
            return refusal.answer
