"""The OAuth dance of a connector: one consumer, its consent page, its token endpoint."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self


@dataclass(frozen=True, kw_only=True)
class RemoteWorkspace:
    """A workspace that an authorization reaches."""

    id: str
    slug: str
    is_administrator: bool


@dataclass(frozen=True, kw_only=True)
class RefreshedTokens:
    """An answer of a token endpoint."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """An OAuth consumer: in whose name an account is asked for its consent."""

    client_id: str
    client_secret: str = field(repr=False)


class Authorizations(ABC):
    """The OAuth dance of a connector: one consumer, its consent page, its token endpoint.

    Made without a consumer, it goes through the one that the installation's settings name.
    """

    callback: ClassVar[str]  # names the way back: /consent/<callback>/
    set_by: ClassVar[str]  # how whoever runs the installation sets its consumer
    permissions: ClassVar[str]  # what a consumer needs, in the words of the page that makes one
    made_at: str = ""  # explains how a consumer is made
    withdrawn_at: str = ""  # where the owner of an account withdraws what was allowed

    @property
    @abstractmethod
    def consumer(self) -> str:
        """The client id of the consumer; empty where there is none."""

    @abstractmethod
    def by(self, consumer: Consumer) -> Self:
        """The same dance through another consumer."""

    @abstractmethod
    def prove(self, *, redirect_uri: str) -> None:
        """Ask whether the consumer's id and secret belong together. Raises ProviderError."""

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
    def reach(self, access_token: str, *, organization: int) -> "Reach":
        """Whose authorization it is and which workspaces it reaches, asked in the name of an
        organization. Raises ProviderError.
        """


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What an authorization reaches, and in whose name."""

    account: str  # uuid
    account_name: str
    workspaces: tuple[RemoteWorkspace, ...]
