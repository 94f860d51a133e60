"""OAuth consumers, authorization codes and rotating refresh tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.sandbox.clock import Clock
from tests.sandbox.people import Person
from tests.sandbox.scopes import READ_ALL
from tests.sandbox.tokens import Tokens

CODE_SECONDS = 600.0
ANY_LOCAL = "any local address"
CONSUMER = ("tributary", "tributary-secret")
SIGNIN_CONSUMER = ("tributary-signin", "tributary-signin-secret")


@dataclass(slots=True)
class Consumer:
    """An OAuth consumer. Its scopes are fixed; nobody asks for others."""

    key: str
    secret: str
    callback_url: str
    scopes: list[str]
    name: str = ""

    def takes(self, address: str) -> bool:
        """Whether a redirect may go to this address: the registered one, exactly."""
        if self.callback_url != ANY_LOCAL:
            return address == self.callback_url
        parts = urlsplit(address)
        return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")


@dataclass(slots=True)
class Permit:
    """What a person has granted: an authorization code's or a refresh token's meaning."""

    consumer: Consumer
    person: Person
    ticked: set[str] | None
    redirect_uri: str = ""
    dies_at: float | None = None


@dataclass(slots=True)
class Consumers:
    """Consumers and what was granted to them.

    `lifetime` is the seconds that an access token lives, `grace` how long a used refresh token
    still works, `scope_key` the name of the field ("scopes" or "scope"), and
    `rotated_answer` what a dead refresh token is told.
    """

    clock: Clock
    tokens: Tokens
    lifetime: float = 7200.0
    grace: float = 10.0
    scope_key: str = "scopes"
    rotated_answer: str = "invalid_grant"
    by_key: dict[str, Consumer] = field(default_factory=dict)
    codes: dict[str, Permit] = field(default_factory=dict)
    refresh_tokens: dict[str, Permit] = field(default_factory=dict)
    refreshes: int = 0

    def add(
        self, key: str, secret: str, callback_url: str, scopes: Iterable[str], name: str = ""
    ) -> Consumer:
        """A consumer; `callback_url` must be matched exactly, or ANY_LOCAL."""
        consumer = Consumer(key, secret, callback_url, list(scopes), name or key)
        self.by_key[key] = consumer
        return consumer

    def grant(self, permit: Permit) -> str:
        """An authorization code for one use."""
        code = secrets.token_urlsafe(12)
        permit.dies_at = self.clock.seconds() + CODE_SECONDS
        self.codes[code] = permit
        return code

    def redeem(self, consumer: Consumer, code: str, redirect_uri: str) -> dict[str, Any] | None:
        """Tokens for a code; nothing when it was used, is too old, or is somebody else's."""
        permit = self.codes.pop(code, None)
        if permit is None or permit.consumer is not consumer or self._is_dead(permit):
            return None
        if redirect_uri and redirect_uri != permit.redirect_uri:
            return None
        return self._issue(permit)

    def refresh(self, consumer: Consumer, secret: str) -> dict[str, Any] | None:
        """New tokens for a refresh token, which from then on has `grace` seconds to live."""
        permit = self.refresh_tokens.get(secret)
        if permit is None or permit.consumer is not consumer or self._is_dead(permit):
            return None
        if permit.dies_at is None:
            permit.dies_at = self.clock.seconds() + self.grace
        self.refreshes += 1
        return self._issue(permit)

    def revoke_grants(self, person: Person) -> None:
        """The person withdraws the consent: all its tokens die."""
        self.refresh_tokens = {
            k: p for k, p in self.refresh_tokens.items() if p.person is not person
        }
        for token in self.tokens.by_secret.values():
            if token.kind == "oauth" and token.person is person:
                token.revoked = True

    def _is_dead(self, permit: Permit) -> bool:
        return permit.dies_at is not None and self.clock.seconds() >= permit.dies_at

    def _issue(self, permit: Permit) -> dict[str, Any]:
        consumer = permit.consumer
        token = self.tokens.oauth(
            permit.person,
            consumer=consumer.key,
            scopes=consumer.scopes,
            ticked=permit.ticked,
            seconds=self.lifetime,
        )
        refresh = "rt_" + secrets.token_urlsafe(2000)
        self.refresh_tokens[refresh] = Permit(consumer, permit.person, permit.ticked)
        return {
            "access_token": token.secret,
            "refresh_token": refresh,
            "token_type": "bearer",
            "expires_in": int(self.lifetime),
            "state": "authorization_code",
            self.scope_key: " ".join(consumer.scopes),
        }


def add_defaults(consumers: Consumers) -> None:
    """One consumer for connections, one for sign-in; both redirect to any local address."""
    reading = [scope for scope in READ_ALL if scope != "webhook"]
    consumers.add(*CONSUMER, ANY_LOCAL, reading, "Tributary")
    consumers.add(*SIGNIN_CONSUMER, ANY_LOCAL, ["account", "email"], "Tributary (sign-in)")
