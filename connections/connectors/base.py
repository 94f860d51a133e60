"""The contract of a connector: data, and the few methods that differ.

A connector is a folder with the same file names as its neighbours, named once in
`settings.CONNECTORS`. It holds no row: plain values go in, dataclasses come out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from connections.connectors.authorizations import (
    Authorizations,
    Consumer,
    Reach,
    RefreshedTokens,
    RemoteWorkspace,
)
from connections.connectors.declarations import (
    Check,
    Endpoint,
    Field,
    Kind,
    Method,
    Scope,
    Stream,
)
from connections.connectors.results import CheckResult
from connections.connectors.webhooks import Webhooks
from connections.transport.asks import Asks
from connections.transport.http import Transport
from connections.transport.ledger import Ledger, Purpose

if TYPE_CHECKING:
    from connections.connectors.findings import Finding

__all__ = (
    "Authorizations",
    "Check",
    "CheckResult",
    "Connector",
    "Consumer",
    "Endpoint",
    "Entry",
    "Field",
    "Identity",
    "Kind",
    "Method",
    "Reach",
    "Recognised",
    "RefreshedTokens",
    "RemoteRepository",
    "RemoteWorkspace",
    "Scope",
    "Stream",
    "UnknownConnector",
    "UnknownMethod",
)


@dataclass(frozen=True, kw_only=True)
class RemoteRepository:
    """A repository as the choice of repositories needs it."""

    id: str  # Bitbucket's uuid
    name: str  # workspace/slug
    updated_on: str = ""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a verification learned of the secret and of the connected thing."""

    connected: str = ""  # Connection.identity: the workspace's uuid
    connected_name: str = ""  # its slug, as it is now
    acts_as: str = ""  # Credential.identity: uuid of the account; empty for access tokens
    acts_as_name: str = ""
    scopes: tuple[str, ...] = ()
    quota_subject: str = ""  # Credential.quota_subject, now that it is known whose secret it is
    kind: str = ""  # of Method.kinds, as the provider tells it
    sees: int | None = None  # repositories


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """What a pasted secret turned out to be, and what is still to be asked beside it."""

    method: str = ""
    name: str = ""  # “Repository access token”
    secret: str = field(default="", repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)  # what it tells by itself
    workspaces: tuple[str, ...] = ()  # to choose among
    asks: tuple[str, ...] = ()  # settings to be typed, the secret being fine so far
    said: str = ""  # a sentence to the person
    is_refused: bool = False  # it cannot be used as it is; `said` tells why


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Plain values with which a connector is entered. Its repr shows no secret."""

    method: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    purpose: Purpose = Purpose.VERIFY
    acts_as: str = ""  # uuid of the account that this secret is proven to be of
    # Gives another access token for one that was refused before its time, by HTTP.
    renew: Callable[[str], str] | None = field(default=None, repr=False, compare=False)
    organization: int = 0  # id of the one that asks


class Connector(ABC):
    """A kind of thing to connect."""

    key: ClassVar[str]  # stored in rows: never changes
    label: ClassVar[str]
    summary: ClassVar[str]
    icon: ClassVar[str] = "link"
    settings: ClassVar[tuple[Field, ...]] = ()  # identify the connected thing: the workspace
    # The setting that holds its name, as it is now, or its id: what is kept on a connection, and
    # what an entry is made with.
    place: ClassVar[str] = ""
    methods: ClassVar[tuple[Method, ...]] = ()
    streams: ClassVar[tuple[Stream, ...]] = ()
    checks: ClassVar[tuple[Check, ...]] = ()
    supports_multiple_credentials: ClassVar[bool] = True
    # The connector of the connection beneath which it stands: its workspace and its repositories
    # are that one's, and all its streams are copied in that one's stead.
    requires_parent: ClassVar[str] = ""
    endpoints: ClassVar[tuple[Endpoint, ...]] = ()  # everything that is ever asked
    webhooks: ClassVar[Webhooks | None] = None  # how it lets itself be told of changes

    def method(self, key: str) -> Method:
        """The method of this key. Raises UnknownMethod."""
        for method in self.methods:
            if method.key == key:
                return method
        raise UnknownMethod(f"{self.label} has no method {key!r}.")

    def place_in(self, settings: Mapping[str, Any]) -> str:
        """What these settings say of the connected thing; empty where they say nothing."""
        return str(settings.get(self.place) or "")

    @abstractmethod
    def clean_settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Settings as they are kept: an address of the workspace becomes its name."""

    def clean_entry(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Settings of a method, which fit, as they are kept: a repository's address becomes its
        name.
        """
        return dict(settings)

    @abstractmethod
    def quota_subject(self, entry: Entry) -> str:
        """A keyed hash of what the provider counts this entry's requests by."""

    @abstractmethod
    def transport(self, entry: Entry, *, ledger: Ledger | None = None) -> Transport:
        """Speaks to the provider in the name of this entry, and books requests with the ledger."""

    @abstractmethod
    def client(self, entry: Entry, transport: Asks | None = None) -> Any:
        """The provider's client: one method per endpoint. It asks through `transport`, else through
        one of its own.
        """

    @abstractmethod
    def verify(
        self,
        entry: Entry,
        *,
        streams: Collection[str] = (),
        on_result: Callable[[CheckResult], None] | None = None,
        whole_list: bool = False,
    ) -> "Finding":
        """Ask one question per need, side by side. A ProviderError is told in the finding.

        `streams` are those that are wanted, empty for all. `on_result` is called in the caller's
        thread each time a check begins or ends. `whole_list` asks for every repository.
        """

    def recognise(self, secrets: Mapping[str, str], settings: Mapping[str, str]) -> str:
        """The method that fields and the shape of a secret speak for."""
        return self.methods[0].key

    def shape_of(self, secret: str) -> str:
        """The method that the mere look of a secret speaks for; empty where it could be any."""
        return ""

    def identify(
        self, text: str, known: Mapping[str, str], *, method: str = "", organization: int = 0
    ) -> Recognised:
        """Find out what a pasted text is, with at most three requests.

        `known` holds settings that were typed or are connected; `method` is given where that much
        is clear already; `organization` is the id of the one that asks. Never call it in a
        transaction.
        """
        found = self.method(method or self.recognise({"secret": text}, known))
        return Recognised(
            method=found.key, name=found.label, secret=text.strip(), settings=dict(known)
        )

    def read_places(self, settings: Mapping[str, str]) -> dict[str, str]:
        """What was typed, and what an address in one of the settings tells of the others."""
        return {name: value for name, value in settings.items() if value}

    def needless_scopes(
        self, granted: Collection[str], *, method: str, kind: str, streams: Collection[str]
    ) -> tuple[str, ...]:
        """The scopes that a secret has and that nothing needs for these streams."""
        return ()

    @property
    def authorizations(self) -> Authorizations | None:
        """The OAuth dance, where the connector has one."""
        return None

    @property
    def consent_method(self) -> Method | None:
        """The method that is made by the consent page, where the connector has one."""
        return next((method for method in self.methods if method.by_consent), None)

    def checks_for(self, method: str, streams: Collection[str] = ()) -> tuple[Check, ...]:
        """The checks that are asked for a method: those of unusual streams only where wanted."""
        wanted = {"", *streams, *(stream.key for stream in self.streams if stream.usual)}
        return tuple(
            one
            for one in self.checks
            if one.stream in wanted and (not one.methods or method in one.methods)
        )

    def with_needed(self, streams: Collection[str]) -> list[str]:
        """These streams with all that they need and what is required, by key, in their order."""
        wanted = set(streams)
        for stream in reversed(self.streams):
            if stream.key in wanted:
                wanted.update(stream.needs)
        return [one.key for one in self.streams if one.key in wanted or one.required]

    def stream(self, key: str) -> Stream:
        """The stream of this key. Raises LookupError."""
        for stream in self.streams:
            if stream.key == key:
                return stream
        raise LookupError(f"{self.label} has no stream {key!r}.")


class UnknownConnector(LookupError):
    """No connector of this key is set."""


class UnknownMethod(LookupError):
    """The connector has no authentication method of this key."""
