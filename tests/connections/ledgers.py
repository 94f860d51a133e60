"""A ledger that counts and refuses nothing, for tests of what stands below the real one."""

from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose


class CountingLedger:
    """Remembers what was taken and learned. With `stop` it refuses, as an empty quota does."""

    def __init__(self, stop: QuotaExhausted | None = None) -> None:
        self.taken: list[tuple[str, Purpose]] = []
        self.learned: list[tuple[int | None, float | None]] = []
        self.stop = stop

    def take(self, subject: str, *, purpose: Purpose, whose: int = 0) -> None:
        if self.stop is not None:
            raise self.stop
        self.taken.append((subject, purpose))

    def learn(
        self, subject: str, *, limit: int | None = None, refused_for: float | None = None
    ) -> None:
        self.learned.append((limit, refused_for))
