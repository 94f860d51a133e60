"""Everything that can go wrong at the provider, and what a verification must call it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_django.fixtures import Settings

from tests.connections.transport.certificates import self_signed
from tests.connections.transport.servers import answer, says, serving
from tests.sandbox import Sandbox


@dataclass(frozen=True)
class Trouble:
    """A fault of the sandbox on every request, unless `path` says less, and its outcome."""

    name: str
    outcome: str
    fault: dict[str, Any] = field(default_factory=dict)
    path: str = "."
    retry_after: bool = False

    def __str__(self) -> str:
        return self.name

    def play(
        self, sandbox: Sandbox, settings: Settings, folder: Path
    ) -> AbstractContextManager[None]:
        """Let it happen."""
        sandbox.faults.add(self.path, **self.fault)
        return nullcontext()


@dataclass(frozen=True)
class Slow(Trouble):
    """No answer in time; the time is cut short."""

    def play(
        self, sandbox: Sandbox, settings: Settings, folder: Path
    ) -> AbstractContextManager[None]:
        settings.VERIFICATION_DEADLINE = 0.15
        return super().play(sandbox, settings, folder)


@dataclass(frozen=True)
class Elsewhere(Trouble):
    """Where Bitbucket should be stands a server without a trusted certificate, or none at all."""

    is_serving: bool = True

    @contextmanager
    def play(self, sandbox: Sandbox, settings: Settings, folder: Path) -> Iterator[None]:
        with serving(says(answer()), tls=self_signed(folder)) as server:
            address = f"https://{server.host}/2.0"
            settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset({server.host})
            settings.BITBUCKET_CLOUD_API_URL = address
            if not self.is_serving:
                server.close()
            yield


@dataclass(frozen=True)
class Inside(Trouble):
    """The name of Bitbucket leads into a private network."""

    @contextmanager
    def play(self, sandbox: Sandbox, settings: Settings, folder: Path) -> Iterator[None]:
        settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset()
        settings.BITBUCKET_CLOUD_API_URL = "https://169.254.169.254/2.0"
        yield


TROUBLES = (
    Trouble("401", "invalid_credentials", {"status": 401}),
    Trouble(
        "401 in the middle", "invalid_credentials", {"status": 401}, "/pullrequests|/pipelines"
    ),
    Trouble("403", "invalid_permissions", {"status": 403}),
    Trouble("404", "workspace_not_found", {"status": 404}),
    Trouble("404 of every repository", "invalid_permissions", {"status": 404}, "/pipelines"),
    Trouble("410", "unexpected_response", {"kind": "410"}),
    Trouble("429", "provider_rate_limited", {"kind": "429"}, retry_after=True),
    Trouble("429 told", "provider_rate_limited", {"kind": "429_retry_after"}, retry_after=True),
    Trouble("500", "unreachable", {"status": 500}),
    Trouble("502", "unreachable", {"status": 502}),
    Trouble("503", "unreachable", {"status": 503}),
    Trouble("555", "unreachable", {"kind": "555"}),
    Trouble("400", "unexpected_response", {"status": 400}),
    Trouble("a web page", "unexpected_response", {"kind": "html"}),
    Trouble("cut JSON", "unexpected_response", {"kind": "truncated"}),
    Trouble("no JSON", "unexpected_response", {"kind": "wrong_type"}),
    Trouble("another shape", "unexpected_response", {"body": "[1, {}]"}),
    Trouble("oversized", "unexpected_response", {"kind": "oversized"}, "/workspaces/[^/]+$"),
    Trouble("a cut connection", "unreachable", {"kind": "cut"}),
    Slow("silence", "unreachable", {"kind": "hang"}),
    Slow("a slow answer", "unreachable", {"delay": 0.5}),
    Trouble(
        "a redirect elsewhere",
        "blocked_address",
        {"status": 302, "headers": {"location": "https://evil.example.com/2.0/"}},
    ),
    Trouble(
        "a redirect inside",
        "blocked_address",
        {"status": 302, "headers": {"location": "http://169.254.169.254/latest/"}},
    ),
    Trouble(
        "redirects without an end",
        "unexpected_response",
        {"status": 302, "headers": {"location": "/2.0/user"}},
    ),
    Trouble("an empty list", "no_resources", {"kind": "empty_page"}, "/2.0/repositories/[^/]+"),
    Elsewhere("no trusted certificate", "tls_error"),
    Elsewhere("nobody there", "unreachable", is_serving=False),
    Inside("a private address", "blocked_address"),
)
