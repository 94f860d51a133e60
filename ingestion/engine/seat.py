"""Where one fetching thread asks from: a socket for each credential, and the pool that chooses."""

from collections.abc import Callable, Iterator

from connections.connectors.base import Connector
from connections.transport import paging
from connections.transport.answers import Answer
from connections.transport.asks import Asks
from connections.transport.errors import (
    Gone,
    InvalidCredentials,
    ProviderError,
)
from connections.transport.paging import Parameters
from ingestion.engine.pool import About, Member, Pool
from ingestion.sources import source
from ingestion.sources.base import Source


class Seat:
    """A source that asks with all credentials; one thread has it for itself."""

    def __init__(self, pool: Pool) -> None:
        self._asking = Asking(pool)
        self._source = source_of(pool.kind, self._asking, pool)

    def about(self, about: About) -> Source:
        """The source, for what is asked next."""
        self._asking.about = about
        return self._source

    def close(self) -> None:
        """Give the sockets back."""
        self._asking.close()


class Asking:
    """A transport over those of all members: a refusal counts when nobody is left to ask."""

    def __init__(self, pool: Pool) -> None:
        self.about = About()
        self._pool = pool
        self._transports: dict[tuple[int, int], Asks] = {}

    def get(self, path_or_url: str, params: Parameters | None = None) -> Answer:
        return self._first(lambda transport: transport.get(path_or_url, params))

    def pages(self, path_or_url: str, params: Parameters | None = None) -> Iterator[Answer]:
        return paging.pages(self.get, path_or_url, params)

    def post_form(self, path_or_url: str, data: Parameters) -> Answer:
        return self._first(lambda transport: transport.post_form(path_or_url, data))

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _first(self, ask: Callable[[Asks], Answer]) -> Answer:
        """The first answer that is none of those which another credential may better."""
        met: dict[int, ProviderError] = {}
        while True:
            member = self._pool.choose(self.about, met)
            try:
                with self._pool.pace.turn(), self._pool.asking(member):
                    answer = ask(self._transport(member))
            except ProviderError as error:
                if isinstance(error, InvalidCredentials) and self._pool.renew(member):
                    continue
                if isinstance(error, Gone):
                    asked_for = error.evidence
                    self._pool.hear_of(asked_for.method, asked_for.path, error.removal)
                if not self._pool.hear(member, self.about, error):
                    raise
                met[member.key] = error
            else:
                self._pool.hear(member, self.about, None)
                self._pool.hear_of(answer.method, answer.path, answer.removal)
                return answer

    def _transport(self, member: Member) -> Asks:
        key = (member.key, member.credential.version)
        found = self._transports.get(key)
        if found is None:
            found = self._transports[key] = self._pool.kind.transport(member.entry)
        return found


def source_of(kind: Connector, transport: Asks, pool: Pool) -> Source:
    """The source of a connector, which asks in the name of everybody."""
    return source(kind.key, kind.client(pool.together, transport))
