"""Compares what is here with what the provider counts, once the streams stand.

It is a stream of its own in a sync, so that it waits, goes on and shows its progress like any
other; it copies nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingestion.engine.run import Run
from ingestion.engine.visits import here
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.engine.visits.here import Beside
from ingestion.models import COMPARISON, Repository
from ingestion.sources.base import Count, Page, Source, Walk

Until = Mapping[str, datetime]  # by stream: what was created later is not compared


class WholeComparisonVisit(Visit):
    """Asks for the count of each of these streams of the connection as a whole."""

    stream = COMPARISON

    def __init__(self, run: Run, until: Until) -> None:
        super().__init__(run)
        self._until = until
        self._theirs: dict[str, Count] = {}

    def walk(self, source: Source) -> Walk:
        for stream, until in self._until.items():
            theirs = source.count(stream, "", until=until, not_before=None)
            if theirs is not None:
                self._theirs[stream] = theirs
            yield Page(rows=())

    def ended(self) -> Sequence[Visit]:
        for stream, theirs in self._theirs.items():
            until = self._until[stream]
            _note(self, stream, here.of_connection(stream, self.run.connection.pk, theirs, until))
        self.complete(None)
        return ()


class ComparisonVisit(RepositoryVisit):
    """The same of a repository; what is told by what is here alone asks nobody."""

    stream = COMPARISON

    def __init__(self, run: Run, repository: Repository, until: Until) -> None:
        super().__init__(run, repository)
        self._until = until
        self._theirs: dict[str, Count] = {}

    def walk(self, source: Source) -> Walk:
        uuid, since = self.repository.uuid, self.run.since
        for stream, until in self._until.items():
            if stream not in here.TOLD_HERE:
                theirs = source.count(stream, uuid, until=until, not_before=since)
                if theirs is not None:
                    self._theirs[stream] = theirs
                yield Page(rows=())

    def ended(self) -> Sequence[Visit]:
        since = self.run.since
        for stream, until in self._until.items():
            if stream in here.TOLD_HERE:
                coverage = self.run.book.coverage(self.place._replace(stream=stream))
                found = here.TOLD_HERE[stream](self.repository, coverage, since)
            elif stream in self._theirs:
                theirs = self._theirs[stream]
                found = here.of_repository(stream, self.repository, theirs, until, since)
            else:
                continue
            if found is not None:
                _note(self, stream, found)
        self.complete(None)
        return ()


def _note(visit: Visit, stream: str, found: Beside) -> None:
    visit.run.book.coverage(visit.place._replace(stream=stream)).comparison = {
        "at": visit.begun.isoformat(),
        "theirs": found.theirs,
        "ours": found.ours,
        "twice": found.twice,
    }
