"""Whichever credential may change webhooks at the provider, for a while."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from connections.connectors import connector as connector_of
from connections.models import Connection, Credential
from connections.models.credential import usable_credentials
from connections.services.entries import entry_for
from connections.services.hook_places import webhooks_of
from connections.services.trail import note_use
from connections.transport.errors import (
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    Unreachable,
)
from connections.transport.http import Transport
from connections.transport.ledger import Purpose, tallied
from tenants.actor import Actor

T = TypeVar("T")
ANOTHER_MAY = (InvalidCredentials, InvalidPermissions, NotFound)
PATIENCE = 20.0  # seconds for everything that is done while somebody waits


@dataclass
class Hand:
    """One credential at work, and how often it asked."""

    credential: Credential
    transport: Transport
    requests: int = 0


class Hands:
    """The usable credentials of a connection: each is tried where the one before is refused.

    Making them reads the secrets, and may renew an authorization; their uses are noted in the audit
    trail when they are given back. Never make or use them in a transaction. `patience` is in
    seconds, from now on.
    """

    def __init__(self, connection: Connection, by: Actor, patience: float = PATIENCE) -> None:
        self.webhooks = webhooks_of(connection)
        self._by = by
        self._ends = time.monotonic() + patience
        self._given_back = ExitStack()
        self._hands: list[Hand] = []
        self._refused: ProviderError = InvalidCredentials(
            "This connection has no credential that works. Add one first."
        )
        kind = connector_of(connection.connector)
        for credential in usable_credentials(connection):
            try:
                entry = entry_for(credential, purpose=Purpose.PERSON)
            except ProviderError as error:
                self._refused = error
            else:
                transport = self._given_back.enter_context(closing(kind.transport(entry)))
                self._hands.append(Hand(credential, transport))
        self._able = list(self._hands)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._given_back.close()
        for hand in self._hands:
            if hand.requests:
                note_use(hand.credential, self._by, reason="webhooks", requests=hand.requests)

    @property
    def can_go_on(self) -> bool:
        """Whether there is a credential left that may do something, and time for it."""
        return bool(self._able) and time.monotonic() < self._ends

    def do(self, act: Callable[[Transport], T]) -> T:
        """What the first credential gets that may; it is asked first the next time.

        One that Bitbucket refuses altogether, or that lacks a scope, is not asked again. Raises
        ProviderError.
        """
        if self._able and not self.can_go_on:
            raise Unreachable("Bitbucket was too slow: no time was left to ask.")
        refused = self._refused
        for hand in list(self._able):
            with tallied() as tally:
                try:
                    found = act(hand.transport)
                except ANOTHER_MAY as error:
                    refused = error
                    if _is_hopeless(error):
                        self._able.remove(hand)
                        self._refused = error
                else:
                    self._able.sort(key=lambda one: one is not hand)
                    return found
                finally:
                    hand.requests += tally.requests
        raise refused


def _is_hopeless(error: ProviderError) -> bool:
    lacks_scope = isinstance(error, InvalidPermissions) and bool(error.missing_scopes)
    return lacks_scope or isinstance(error, InvalidCredentials)
