"""One request to the API, and the table that says which endpoint needs which scopes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.sandbox.answers import (
    Answer,
    Refused,
    error,
    no_repository,
    no_workspace,
    text,
    unauthorized,
)
from tests.sandbox.paging import Pairs, numbered
from tests.sandbox.partial import whitelist
from tests.sandbox.shapes.places import Json
from tests.sandbox.site import Site
from tests.sandbox.tokens import Token
from tests.sandbox.world import PullRequest, Repository, Workspace


@dataclass(slots=True)
class Call:
    """A request: `path` as it was sent, `names` what stood in the placeholders."""

    site: Site
    method: str
    path: str
    pairs: Pairs
    names: tuple[str, ...]
    token: Token | None
    form: Pairs = field(default_factory=list)
    body: bytes = b""

    @property
    def base(self) -> str:
        """The address of this request without its query."""
        return self.site.renderer.places.web + self.path

    def person_token(self) -> Token:
        """The credential; 401 for an anonymous request."""
        if self.token is None:
            raise Refused(unauthorized())
        return self.token

    def workspace(self) -> Workspace:
        """The workspace in the path, by slug or uuid; 404 where it is not to be seen."""
        workspace = self.site.world.workspace(self.names[0])
        if workspace is None or self.token is None or not self.token.reaches_workspace(workspace):
            raise Refused(no_workspace(self.names[0]))
        return workspace

    def repository(self) -> Repository:
        """The repository in the path; 404 where it is not to be seen, 403 when it refuses."""
        repository = self.site.world.repository(self.names[0], self.names[1])
        if repository is None or self.token is None or not self.token.reaches(repository):
            raise Refused(no_repository())
        if repository.refused_with == 404:
            raise Refused(no_repository())
        if repository.refused_with:
            raise Refused(error(repository.refused_with, "Forbidden"))
        return repository

    def pull_request(self) -> PullRequest:
        """The pull request in the path; Bitbucket's 404 for it is terse."""
        repository = self.repository()
        number = self.names[2]
        found = repository.pull_requests.get(int(number)) if number.isascii() else None
        if found is None:
            raise Refused(text(404, "Not Found"))
        return found

    def render(self, make: Callable[..., Json], *context: Any) -> Callable[[Any], orjson.Fragment]:
        """A rendering function for the records of a page, of one shape."""
        wanted = whitelist(self.pairs).get("values", {})
        return self.site.renderer.shape(make, *context, wanted=wanted)

    def one(self, make: Callable[..., Json], *context: Any) -> Answer:
        """A single record; the last of `context` is the record."""
        render = self.site.renderer.shape(make, *context[:-1], wanted={})
        return Answer(200, bytes(orjson.dumps(render(context[-1]))))

    def page(self, records: Any, render: Any, **limits: Any) -> Answer:
        """A numbered page of records."""
        return numbered(self.base, self.pairs, records, render, **limits)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path with placeholders in braces, what answers it, and the scopes that it needs."""

    path: str
    handler: Callable[[Call], Answer]
    classic: tuple[str, ...] = ()
    granular: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET",)

    def pattern(self) -> re.Pattern[str]:
        """The path as an expression; numbers only where the placeholder is called {id}."""
        expression = re.sub(r"\\{id\\}", r"(\\d{1,18})", re.escape(self.path))
        return re.compile(re.sub(r"\\{\w+\\}", r"([^/]+)", expression))


def reading(kind: str) -> dict[str, tuple[str, ...]]:
    """The scopes for reading repositories, pull requests, pipelines, projects or webhooks."""
    return {"classic": (kind,), "granular": (f"read:{kind}:bitbucket",)}
