"""What a connector declares of webhooks: which events, where kept, how they are changed."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field

from connections.transport.http import Transport


@dataclass(frozen=True, kw_only=True)
class HookPlace:
    """Where a webhook is kept: a whole workspace, or one repository of it."""

    workspace: str  # its uuid, or its name
    repository: str = ""  # likewise; empty: the workspace's own
    name: str = ""  # as people know it

    @property
    def id(self) -> str:
        """What is kept of it."""
        return self.repository or self.workspace


@dataclass(frozen=True, kw_only=True)
class WantedHook:
    """A webhook as it is to be. Its repr shows no secret."""

    url: str
    events: tuple[str, ...]
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RemoteHook:
    """A webhook as the provider shows it."""

    id: str
    url: str
    events: tuple[str, ...]
    is_active: bool


class Webhooks(ABC):
    """Makes, mends and removes webhooks. All that ask raise ProviderError, and one request each but
    for `listed`, which may take several.
    """

    @abstractmethod
    def events(self, streams: Collection[str]) -> tuple[str, ...]:
        """The events that tell of changes to these streams, in their order."""

    @abstractmethod
    def listed(self, transport: Transport, place: HookPlace) -> list[RemoteHook]:
        """All webhooks of a place, whosever they are."""

    @abstractmethod
    def create(self, transport: Transport, place: HookPlace, wanted: WantedHook) -> RemoteHook:
        """Make one."""

    @abstractmethod
    def update(
        self, transport: Transport, place: HookPlace, hook: str, wanted: WantedHook
    ) -> RemoteHook:
        """Make the one of this id what it is to be."""

    @abstractmethod
    def delete(self, transport: Transport, place: HookPlace, hook: str) -> None:
        """Remove the one of this id."""

    @abstractmethod
    def command(self, place: HookPlace, url: str, events: Collection[str]) -> str:
        """What a person may run who has the rights there: it takes the secret out of $SECRET, and
        says which other variables it needs.
        """
