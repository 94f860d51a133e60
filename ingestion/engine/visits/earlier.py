"""History before what is here, for a window that was widened: it alone is walked."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import Repository
from ingestion.sources.base import Checkpoint, Page, Since
from ingestion.writer.batch import Counts

Then = Callable[[], Sequence[Visit]]


class EarlierVisit(RepositoryVisit):
    """Walks from the window's beginning to where this stream was read from; `then` follows.

    Its checkpoint is its own, so that what is new is read meanwhile as ever. A walk that stopped
    goes on to where it was to begin, even if the window is wider by now: the rest comes behind it.
    """

    def __init__(self, run: Run, repository: Repository, then: Then) -> None:
        super().__init__(run, repository)
        self.then = then
        kept = self._kept()
        self.covers_from = run.moment(kept, "covers_from")
        self.counts.read = kept.get("read", 0)
        self.since = Since(
            checkpoint=kept.get("walk"),
            not_before=self.covers_from,
            until=self.coverage.covered_from,
        )

    def _kept(self) -> dict[str, Any]:
        """What is known of this walk, if it does not reach back further than is wanted by now."""
        kept, wanted = self.coverage.earlier or {}, self.run.since
        begin = self.run.moment(kept, "covers_from")
        if wanted is not None and (begin is None or begin < wanted):
            return {}
        return kept

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        if page.checkpoint:
            self.coverage.earlier = {
                "covers_from": _text(self.covers_from),
                "read": self.counts.read,
                "walk": page.checkpoint,
            }

    def ended(self) -> Sequence[Visit]:
        self.reached_back()
        return self.then()

    def reached_back(self, beyond: Checkpoint | None = None) -> None:
        """The stretch is here. `beyond` is where the next one would begin."""
        self.coverage.covered_from = self.covers_from
        self.coverage.earlier = {"walk": beyond} if beyond else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
