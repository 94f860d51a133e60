"""The sandbox as tests hold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType

from tests.sandbox.change import Change
from tests.sandbox.clock import Clock
from tests.sandbox.consent.consumers import CONSUMER, SIGNIN_CONSUMER, Consumers
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.generation import Scale
from tests.sandbox.journal import Attempt, Served
from tests.sandbox.quota import Quota
from tests.sandbox.server import Server
from tests.sandbox.shapes.places import Places
from tests.sandbox.site import Site
from tests.sandbox.tokens import Tokens
from tests.sandbox.web import application
from tests.sandbox.world import World

LISTING = r"^/2\.0/"


class Sandbox:
    """A simulated Bitbucket in this process, with its server in a thread."""

    def __init__(
        self,
        seed: int = 1,
        scale: Scale | None = None,
        until: datetime | None = None,
        demo: bool = False,
    ) -> None:
        self.site = Site(seed, scale or Scale(), until, demo)
        self.change = Change(self.site)
        self.server = Server(application(self.site, self.change))

    def start(self, port: int = 0) -> Sandbox:
        """Serve on 127.0.0.1."""
        self.server.start(port)
        self.site.renderer.move(Places(self.api_url, self.url))
        return self

    def stop(self) -> None:
        """Stop serving."""
        self.site.deliveries.close()
        self.server.stop()

    def __enter__(self) -> Sandbox:
        return self if self.server.port else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The origin."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def api_url(self) -> str:
        """What stands for https://api.bitbucket.org/2.0."""
        return f"{self.url}/2.0"

    @property
    def web_url(self) -> str:
        """What stands for https://bitbucket.org."""
        return self.url

    @property
    def host(self) -> str:
        """host:port, as the list of allowed private hosts wants it."""
        return f"127.0.0.1:{self.server.port}"

    def reset(self, scale: Scale | None = None, seed: int | None = None) -> None:
        """A fresh world, fresh credentials; no faults, counts, latency or spent quota."""
        self.site.reset(scale, seed)

    @property
    def world(self) -> World:
        """The truth."""
        return self.site.world

    @property
    def clock(self) -> Clock:
        """The sandbox's time; `clock.advance(seconds)`."""
        return self.site.clock

    @property
    def tokens(self) -> Tokens:
        """Makes and finds credentials."""
        return self.site.tokens

    @property
    def consumers(self) -> Consumers:
        """OAuth consumers and how they behave."""
        return self.site.consumers

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.site.faults

    @property
    def quota(self) -> Quota:
        """The rolling window."""
        return self.site.quota

    @property
    def latency(self) -> float:
        """Seconds before each answer."""
        return self.site.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.site.latency = seconds

    @contextmanager
    def holding(self, secret: str) -> Iterator[None]:
        """Meanwhile nothing that is asked with this token is answered."""
        self.site.held = self.tokens.find(secret).label
        try:
            yield
        finally:
            self.site.held = ""

    @property
    def requests(self) -> list[Served]:
        """The requests served, oldest first."""
        return list(self.site.journal.served)

    @property
    def source_requests(self) -> int:
        """Requests for source code, which must stay 0."""
        return self.site.journal.source

    def count(self, pattern: str = "", status: int | None = None) -> int:
        """Requests whose path matches, with this status if one is given."""
        return self.site.journal.count(pattern, status)

    @property
    def deliveries(self) -> list[Attempt]:
        """Every attempt to deliver an event, once none waits any more; the oldest first."""
        self.site.deliveries.idle()
        return list(self.site.journal.delivered)

    def break_after(self, pages: int, path: str = LISTING, status: int = 500) -> Fault:
        """Each listing answers `pages` pages, counted per path from now on, then `status`."""
        return self.faults.add(path, status=status, after=pages, per_path=True, only_pages=True)

    def settings(self) -> Mapping[str, str]:
        """Environment variables that point Tributary at this sandbox."""
        return {
            "BITBUCKET_CLOUD_API_URL": self.api_url,
            "BITBUCKET_CLOUD_WEB_URL": self.web_url,
            "BITBUCKET_OAUTH_CLIENT_ID": CONSUMER[0],
            "BITBUCKET_OAUTH_CLIENT_SECRET": CONSUMER[1],
            "BITBUCKET_SIGNIN_CLIENT_ID": SIGNIN_CONSUMER[0],
            "BITBUCKET_SIGNIN_CLIENT_SECRET": SIGNIN_CONSUMER[1],
            "CONNECTION_ALLOWED_PRIVATE_HOSTS": self.host,
        }
