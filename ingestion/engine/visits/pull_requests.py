"""The pull requests of a repository, and what follows them: open ones, history, comments."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ingestion.engine.run import Run
from ingestion.engine.visits import activity, vanished
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.engine.visits.earlier import EarlierVisit
from ingestion.models import PullRequest, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.writer.batch import Counts


class PullRequestsVisit(RepositoryVisit):
    """Walks what changed since the watermark, and everything the first time."""

    stream = "pull_requests"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        self._since = self.resume(self.coverage.watermark)

    def begin(self) -> None:
        if self._since.watermark:
            self._since = replace(self._since, known=known_of(self.repository))

    def walk(self, source: Source) -> Walk:
        yield from source.pull_requests(self.repository.uuid, self._since)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.keep(page.checkpoint)

    def ended(self) -> Sequence[Visit]:
        coverage = self.coverage
        is_whole = self._since.watermark is None
        if is_whole:
            if self._has_later_window():
                coverage.rows = 0  # were counted in the longer one
            self.refuse_nothing("pull requests")
            self.cover()
            coverage.looked_back_at = self.begun
        self.reach(self.as_of)
        if is_whole:
            self.doubt_nothing()
        return self._follow()

    def _follow(self) -> Sequence[Visit]:
        """Earlier ones, for a window that was widened; once a day the open ones; their history."""
        if self.run.lacks_earlier(self.place):
            return [EarlierPullRequestsVisit(self.run, self.repository, self._follow)]
        if self.run.is_due_daily(self.coverage.looked_back_at):
            return [OpenPullRequestsVisit(self.run, self.repository)]
        return self.search()

    def search(self) -> Sequence[Visit]:
        return _search(self, self.covers_from)

    def _has_later_window(self) -> bool:
        """Whether the history window begins later than when all of it was read."""
        since, before = self.covers_from, self.coverage.covered_from
        return since is not None and (before is None or since > before)


def known_of(repository: Repository) -> int | None:
    """One that was copied before: whatever else is asked for, it is listed with it."""
    mine = PullRequest.objects.filter(repository=repository)
    return mine.order_by("-number").values_list("number", flat=True).first()


class EarlierPullRequestsVisit(EarlierVisit):
    """Walks what changed last before the stretch that is here. What changes meanwhile is new."""

    stream = "pull_requests"

    def begin(self) -> None:
        self.since = replace(self.since, known=known_of(self.repository))

    def walk(self, source: Source) -> Walk:
        yield from source.pull_requests(self.repository.uuid, self.since)


class OpenPullRequestsVisit(RepositoryVisit):
    """Reads all open pull requests once a day: where their reviewers stand. It ends the stream."""

    stream = "pull_requests"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        self._since = self.coverage.covered_from

    def walk(self, source: Source) -> Walk:
        yield from source.open_pull_requests(self.repository.uuid, self._since)

    def ended(self) -> Sequence[Visit]:
        self.coverage.looked_back_at = self.begun
        return _search(self, self._since)


def _search(visit: RepositoryVisit, begin: datetime | None) -> Sequence[Visit]:
    """The end of the stream: a reading of everything asks for what it did not see."""
    run, repository = visit.run, visit.repository

    def then() -> Sequence[Visit]:
        visit.complete(None)
        return activity.after_pull_requests(run, repository)

    return vanished.search(run, repository, visit.stream, then, is_whole=run.is_full, begin=begin)
