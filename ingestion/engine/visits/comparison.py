"""Compares what is here with what the provider counts, once a repository's streams stand.

It is a stream of its own in a sync, so that it waits, goes on and shows its progress like any
other; it copies nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Count

from ingestion.engine.book import KEYED
from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import COMPARISON, Repository
from ingestion.sources.base import Page, Source, Walk


class ComparisonVisit(RepositoryVisit):
    """Asks for the count of each of these streams. `until` names the moment up to which each is
    complete: what was created later is not compared.
    """

    stream = COMPARISON

    def __init__(self, run: Run, repository: Repository, until: Mapping[str, datetime]) -> None:
        super().__init__(run, repository)
        self._until = until
        self._theirs: dict[str, int | None] = {}

    def walk(self, source: Source) -> Walk:
        for stream, until in self._until.items():
            self._theirs[stream] = source.count(
                stream, self.repository.uuid, until=until, not_before=self.run.since
            )
            yield Page(rows=())

    def ended(self) -> Sequence[Visit]:
        for stream, theirs in self._theirs.items():
            if theirs is not None:
                self._note(stream, theirs)
        self.complete(None)
        return ()

    def _note(self, stream: str, theirs: int) -> None:
        model, key = KEYED[stream]
        mine = model._default_manager.filter(
            repository=self.repository, removed_at=None, created_on__lte=self._until[stream]
        )
        if self.run.since:
            mine = mine.filter(updated_on__gte=self.run.since)
        ours = mine.aggregate(rows=Count("pk"), records=Count(key, distinct=True))
        coverage = self.run.book.coverage(self.place._replace(stream=stream))
        coverage.comparison = {
            "at": self.begun.isoformat(),
            "theirs": theirs,
            "ours": ours["records"],
            "twice": ours["rows"] - ours["records"],
        }
