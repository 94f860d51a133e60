"""The contract of a connector: data, and the few methods that differ.

A connector is a folder with the same file names as its neighbours, named once in
`settings.CONNECTORS`. It holds no row: plain values go in, dataclasses come out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from connections.transport.asks import Asks
from connections.transport.http import Transport
from connections.transport.ledger import Purpose

if TYPE_CHECKING:
    from connections.connectors.findings import Finding


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that a form asks for and an API call brings. The JSON Schema is made of it."""

    name: str
    label: str
    help: str = ""
    required: bool = True
    secret: bool = False
    kind: str = "text"  # text, email, url, password
    max_length: int = 255
    pattern: str = ""  # JSON Schema pattern (ECMA 262 = Python's here)
    placeholder: str = ""
    aliases: tuple[str, ...] = ()  # other names that the API takes for it

    @property
    def misfit(self) -> str:
        """What is said of a value that does not fit the pattern."""
        return f"This is no {'e-mail address' if self.kind == 'email' else self.label.lower()}."


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A permission that a secret needs, and why."""

    name: str
    why: str
    streams: tuple[str, ...] = ()  # empty: the connection itself needs it
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to enter a connector: an authentication method."""

    key: str
    label: str
    summary: str  # for whom it is
    needs: str  # who can make it, what plan it takes
    settings: tuple[Field, ...] = ()
    secrets: tuple[Field, ...] = ()
    scopes: tuple[Scope, ...] = ()
    help_url: str = ""  # where it is explained, for people and the API
    made_at: str = ""  # the page where one is made, with {workspace} where that is part of it
    deprecated: bool = False
    by_consent: bool = False  # made by the consent page, never by a form


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of record that can be copied."""

    key: str
    label: str
    summary: str = ""
    needs: tuple[str, ...] = ()  # streams that must be copied with it
    required: bool = False
    usual: bool = True  # copied where nothing was chosen; else it costs too much to come unasked


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question to the provider, for one need. `path` has {workspace} and {repository}."""

    name: str  # key: workspace, repositories, people, pull_requests, …
    label: str  # “Read pull requests”
    path: str
    stream: str = ""  # the stream that falls away without it; empty: the connection itself
    required: bool = False  # without it nothing can be stored
    optional: bool = False  # its failure is told, and stops nothing
    methods: tuple[str, ...] = ()  # asked only for these; empty: for all


@dataclass(kw_only=True)
class CheckResult:
    """What one check found. Serialized as it stands into Verification.checks."""

    name: str
    label: str
    method: str = "GET"
    path: str = ""
    stream: str = ""
    required: bool = False
    optional: bool = False
    state: str = "waiting"  # waiting, asking, done, skipped
    status: int | None = None
    ms: int | None = None
    outcome: str = ""  # ok, or one of Verification.Outcome
    missing_scopes: list[str] = field(default_factory=list)
    granted_scopes: list[str] = field(default_factory=list)
    message: str = ""
    mended_by: str = ""
    curl: str = ""

    @classmethod
    def waiting(cls, check: Check) -> Self:
        """A check before it is asked."""
        return cls(
            name=check.name,
            label=check.label,
            path=check.path,
            stream=check.stream,
            required=check.required,
            optional=check.optional,
        )

    def finish(self, outcome: str, message: str = "", *, mended_by: str = "") -> None:
        """Note how it ended."""
        self.state, self.outcome, self.message = "done", outcome, message
        self.mended_by = mended_by
        if outcome == "ok":
            self.missing_scopes = []

    def skip(self, why: str) -> None:
        """Note that it was not asked."""
        self.state, self.message = "skipped", f"Not asked: {why}."


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


@dataclass(frozen=True, kw_only=True)
class RemoteWorkspace:
    """A workspace that an authorization reaches."""

    id: str
    slug: str
    is_administrator: bool


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Plain values with which a connector is entered. Its repr shows no secret."""

    method: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    purpose: Purpose = Purpose.VERIFY
    acts_as: str = ""  # uuid of the account that this secret is proven to be of


@dataclass(frozen=True, kw_only=True)
class RefreshedTokens:
    """An answer of a token endpoint."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...] = ()


class Authorizations(ABC):
    """The OAuth dance of a connector: one consumer, its consent page, its token endpoint."""

    @property
    @abstractmethod
    def consumer(self) -> str:
        """The client id of the consumer that is set; empty where there is none."""

    @abstractmethod
    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        """Where the browser is sent to consent."""

    @abstractmethod
    def exchange(self, *, code: str, redirect_uri: str) -> RefreshedTokens:
        """Turn a code into tokens, once. Raises ProviderError."""

    @abstractmethod
    def refresh(self, refresh_token: str) -> RefreshedTokens:
        """Get new tokens; the old refresh token dies. Raises ConsentEnded, ProviderError."""

    @abstractmethod
    def reach(self, access_token: str) -> "Reach":
        """Whose authorization it is and which workspaces it reaches. Raises ProviderError."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What an authorization reaches, and in whose name."""

    account: str  # uuid
    account_name: str
    workspaces: tuple[RemoteWorkspace, ...]


class Connector(ABC):
    """A kind of thing to connect."""

    key: ClassVar[str]  # stored in rows: never changes
    label: ClassVar[str]
    summary: ClassVar[str]
    icon: ClassVar[str] = "link"
    settings: ClassVar[tuple[Field, ...]] = ()  # identify the connected thing: the workspace
    methods: ClassVar[tuple[Method, ...]] = ()
    streams: ClassVar[tuple[Stream, ...]] = ()
    checks: ClassVar[tuple[Check, ...]] = ()
    supports_multiple_credentials: ClassVar[bool] = True
    requires_parent: ClassVar[str] = ""

    def method(self, key: str) -> Method:
        """The method of this key. Raises UnknownMethod."""
        for method in self.methods:
            if method.key == key:
                return method
        raise UnknownMethod(f"{self.label} has no method {key!r}.")

    @abstractmethod
    def clean_settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Settings as they are kept: an address of the workspace becomes its name."""

    @abstractmethod
    def quota_subject(self, entry: Entry) -> str:
        """A keyed hash of what the provider counts this entry's requests by."""

    @abstractmethod
    def transport(self, entry: Entry) -> Transport:
        """Speaks to the provider in the name of this entry."""

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

    @property
    def authorizations(self) -> Authorizations | None:
        """The OAuth dance, where the connector has one."""
        return None

    def checks_for(self, method: str, streams: Collection[str] = ()) -> tuple[Check, ...]:
        """The checks that are asked for a method: those of unusual streams only where wanted."""
        wanted = {"", *streams, *(stream.key for stream in self.streams if stream.usual)}
        return tuple(
            one
            for one in self.checks
            if one.stream in wanted and (not one.methods or method in one.methods)
        )

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
