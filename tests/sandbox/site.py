"""All parts of a running sandbox in one place."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from tests.sandbox.clock import Clock
from tests.sandbox.consent.consumers import Consumers, add_defaults
from tests.sandbox.deliveries import Deliveries
from tests.sandbox.demo import add_demo_tokens
from tests.sandbox.faults import Faults
from tests.sandbox.generation import Scale, generate
from tests.sandbox.journal import Journal
from tests.sandbox.listing import Listings
from tests.sandbox.quota import Quota
from tests.sandbox.render import Renderer
from tests.sandbox.tokens import Tokens
from tests.sandbox.world import World


class Site:
    """World, credentials, quota, faults and counts; guarded by one lock."""

    def __init__(
        self, seed: int, scale: Scale, until: datetime | None = None, demo: bool = False
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.quota_window, self.quota_limit = 3600.0, 1000
        self.quota = Quota(self.clock)
        self.faults = Faults()
        self.journal = Journal()
        self.deliveries = Deliveries(self.journal)
        self.listings = Listings()
        self.renderer = Renderer()
        self.latency = 0.0
        self.held = ""  # label of a token whose answers wait until this changes
        hour = self.clock.now().replace(minute=0, second=0, microsecond=0)
        self.until = until or hour - timedelta(hours=1)
        self.demo = demo
        self.build(seed, scale)

    def build(self, seed: int, scale: Scale) -> None:
        """A fresh world with fresh credentials."""
        self.seed, self.scale = seed, scale
        self.world: World = generate(seed=seed, scale=scale, until=self.until)
        self.tokens = Tokens(self.world, self.clock, seed)
        self.quota.find = self.tokens.find
        self.consumers = Consumers(self.clock, self.tokens)
        add_defaults(self.consumers)
        if self.demo:
            add_demo_tokens(self.tokens)
        self.contexts: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.epoch = 0
        self.changed()

    def reset(self, scale: Scale | None = None, seed: int | None = None) -> None:
        """A fresh world; no faults, counts, latency, borrowed time or spent quota."""
        with self.lock:
            self.clock.reset()
            self.quota = Quota(self.clock, self.quota_window, self.quota_limit)
            self.faults.clear()
            self.deliveries.close()
            self.journal.clear()
            self.deliveries = Deliveries(self.journal)
            self.latency, self.held = 0.0, ""
            self.build(self.seed if seed is None else seed, scale or self.scale)

    def changed(self) -> None:
        """Drop everything rendered or sorted before."""
        self.renderer.forget()
        self.listings.forget()
