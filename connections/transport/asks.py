"""What a client needs of a transport: one in the name of one secret, or several taken together."""

from collections.abc import Iterator
from typing import Protocol

from connections.transport.answers import Answer
from connections.transport.paging import Parameters


class Asks(Protocol):
    """Asks a provider. All raise ProviderError."""

    def get(self, path_or_url: str, params: Parameters | None = None) -> Answer:
        """Ask for one thing."""

    def pages(self, path_or_url: str, params: Parameters | None = None) -> Iterator[Answer]:
        """Every page of a listing."""

    def post_form(self, path_or_url: str, data: Parameters) -> Answer:
        """Send a form once."""

    def close(self) -> None:
        """Give the sockets back."""
