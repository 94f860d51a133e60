"""What each credential lists: the repositories of a connection are all of them together."""

from collections.abc import Iterator
from contextlib import closing

from connections.transport.errors import (
    Gone,
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RateLimited,
)
from ingestion.engine.pool import About, Member, Pool
from ingestion.sources import source
from ingestion.sources.base import Page, Walk
from ingestion.sources.rows import RepositoryRow

# What keeps one credential from listing, and the others not.
ITS_OWN = (InvalidCredentials, InvalidPermissions, NotFound, Gone, QuotaExhausted, RateLimited)


class Listings:
    """Walks the listing of one credential after the other. A row that was there comes once."""

    def __init__(self, pool: Pool, about: About) -> None:
        self._pool = pool
        self._about = about
        self.whole: dict[int, set[str]] = {}  # what each member lists, where that came to its end
        self.waits: ProviderError | None = None  # for the quota of one, while others were listed
        self.shown: set[str] = set()

    def walk(self) -> Walk:
        """All pages. Raises what keeps the last from listing where nobody lists."""
        failed: list[ProviderError] = []
        for member in self._pool.working():
            try:
                yield from self._of(member)
            except ITS_OWN as error:
                self._pool.hear(member, self._about, error)
                failed.append(error)
        if failed and not self.whole:
            raise _weightiest(failed)
        self.waits = next((e for e in failed if isinstance(e, QuotaExhausted | RateLimited)), None)
        self._pool.see(self.whole)

    def _of(self, member: Member) -> Iterator[Page]:
        kind, mine = self._pool.kind, set[str]()
        with self._pool.asking(member), closing(kind.client(member.entry)) as client:
            for page in source(kind.key, client).repositories():
                rows = [row for row in page.rows if isinstance(row, RepositoryRow)]
                mine.update(row.uuid for row in rows)
                yield self._anew(page)
                self.shown.update(row.uuid for row in rows)
        if mine or len(self._pool.members) == 1:  # an empty listing of one proves nothing
            self.whole[member.key] = mine

    def _anew(self, page: Page) -> Page:
        """A page without the repositories that another credential has listed."""
        if self.whole:
            page.rows = [
                row
                for row in page.rows
                if not (isinstance(row, RepositoryRow) and row.uuid in self.shown)
            ]
            page.expected = len(page.rows)
        return page


def _weightiest(failed: list[ProviderError]) -> ProviderError:
    """What waiting mends comes before a refused secret, and that before what one may not see."""
    kinds = (QuotaExhausted | RateLimited, InvalidPermissions, ProviderError)
    return next(error for kind in kinds for error in failed if isinstance(error, kind))
