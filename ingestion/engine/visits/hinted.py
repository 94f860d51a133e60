"""Visits to what a webhook told of. They are walked outside of syncs and complete nothing."""

from collections.abc import Sequence
from itertools import islice

from ingestion.engine.pool import About
from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import Push, Repository
from ingestion.sources.base import Key, Page, Since, Source, Walk
from ingestion.sources.rows import PipelineRow
from ingestion.writer.batch import Counts

MOST_PAGES = 10  # of commits; a larger push is left to the next sync


class PullRequestVisit(RepositoryVisit):
    """One pull request by its number."""

    stream = "pull_requests"

    def __init__(self, run: Run, repository: Repository, number: int) -> None:
        super().__init__(run, repository)
        self._number = number
        self.is_gone = False

    def walk(self, source: Source) -> Walk:
        yield from source.records(self.stream, self.repository.uuid, [self._number])

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.is_gone = self.is_gone or bool(page.gone)


class OneRepositoryVisit(Visit):
    """One repository by its uuid: it may be a new one."""

    stream = "repositories"

    def __init__(self, run: Run, uuid: str) -> None:
        super().__init__(run)
        self._uuid = uuid
        self.is_gone = False

    @property
    def about(self) -> About:
        return About(self.stream, self._uuid)

    def walk(self, source: Source) -> Walk:
        keys: Sequence[Key] = [self._uuid]
        yield from source.records(self.stream, self._uuid, keys)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.is_gone = self.is_gone or bool(page.gone)


class PushedVisit(RepositoryVisit):
    """What the branches lead to and the heads of the last walk did not, the newest first.

    The heads stay. The tips are noted: should a branch leave one before the next walk, that asks
    what was dropped with it, as of a head.
    """

    stream = "commits"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        known = run.book.known(self.place)
        self._heads = list((known and known.heads) or ())

    def walk(self, source: Source) -> Walk:
        since = Since(heads=self._heads, not_before=self.run.since)
        yield from islice(source.commits(self.repository.uuid, since), MOST_PAGES)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        Push.objects.bulk_create(
            [
                Push(
                    organization_id=self.repository.organization_id,
                    repository=self.repository,
                    hash=tip,
                )
                for tip in page.heads or ()
                if tip not in self._heads
            ],
            ignore_conflicts=True,
        )


class NewestRunsVisit(RepositoryVisit):
    """The first page of runs."""

    stream = "pipelines"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        self.uuids: list[str] = []

    def walk(self, source: Source) -> Walk:
        yield from islice(source.pipelines(self.repository.uuid, Since()), 1)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.uuids += [row.uuid for row in page.rows if isinstance(row, PipelineRow)]
