"""The runs of a repository's pipelines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q

from ingestion.engine.run import Run
from ingestion.engine.visits import steps, vanished
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.engine.visits.earlier import EarlierVisit
from ingestion.models import PipelineRun, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import PipelineRow
from ingestion.writer.batch import Counts

LOOK_BACK = timedelta(days=14)  # a re-run keeps its uuid and its place in the listing
# When a run that goes on below the pages that were read is asked for. Some stay halted for ever.
AGES = (timedelta(hours=1), timedelta(days=1), timedelta(weeks=1))


class PipelinesVisit(RepositoryVisit):
    """Reads runs, newest first, down to where nothing differs; once a day further."""

    stream = "pipelines"
    is_newest_first = True

    def __init__(self, run: Run, repository: Repository, *, is_rest: bool = False) -> None:
        super().__init__(run, repository, is_rest=is_rest)
        since = self.resume(self.coverage.watermark)
        self._looks_back = run.is_due_daily(self.coverage.looked_back_at)
        if self._looks_back:
            since = replace(since, look_back_to=self.begun - LOOK_BACK)
        self._since = since
        self._unfinished: set[str] = set()

    def walk(self, source: Source) -> Walk:
        yield from source.pipelines(self.repository.uuid, self._since)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.keep(page.checkpoint)
        runs = (row for row in page.rows if isinstance(row, PipelineRow))
        self._unfinished.update(row.uuid for row in runs if row.completed_on is None)

    def ended(self) -> Sequence[Visit]:
        before = self.coverage.rows
        self.refuse_nothing("pipelines")
        self.coverage.rows = max(before, self.counts.read)
        if self._since.watermark is None:
            self.cover()
        if self.is_earlier:  # what is new stands above the page where it went on
            self.reach(self.as_of)
            return [PipelinesVisit(self.run, self.repository, is_rest=True)]
        overdue = self._overdue()
        if overdue:
            self.coverage.checkpoint = None
            return [UnfinishedVisit(self, overdue)]
        return self.settle()

    def settle(self) -> Sequence[Visit]:
        """Nothing new is left to ask for."""
        self.reach(self.as_of)
        self.coverage.came_of_age_until = self.begun
        if self._looks_back:
            self.coverage.looked_back_at = self.begun
        if self.run.is_full:
            steps.read_again(self.repository)
        return self._follow()

    def _follow(self) -> Sequence[Visit]:
        """Earlier runs, for a window that was widened; then the steps of runs."""
        if self.run.lacks_earlier(self.place):
            return [EarlierPipelinesVisit(self.run, self.repository, self._follow)]
        return self.search()

    def search(self) -> Sequence[Visit]:
        return vanished.search(
            self.run,
            self.repository,
            self.stream,
            self._end,
            is_whole=self.run.is_full,
            begin=self.covers_from,
        )

    def _end(self) -> Sequence[Visit]:
        self.complete(None)
        return steps.after_pipelines(self.run, self.repository)

    def _overdue(self) -> list[str]:
        """Runs that go on, were on no page, and came of an age since they were last looked for."""
        before = self.coverage.came_of_age_until
        if before is None:
            return []
        going_on = PipelineRun.objects.filter(
            _came_of_age(before, self.begun), repository=self.repository, completed_on=None
        )
        found = going_on.order_by("created_on", "pk").values_list("uuid", flat=True)
        return [uuid for uuid in found if uuid not in self._unfinished]


class UnfinishedVisit(RepositoryVisit):
    """Asks for single runs; then the visit to the listing is over."""

    stream = PipelinesVisit.stream

    def __init__(self, listed: PipelinesVisit, runs: list[str]) -> None:
        super().__init__(listed.run, listed.repository)
        self._listed = listed
        self._runs = runs

    def walk(self, source: Source) -> Walk:
        yield from source.pipeline_runs(self.repository.uuid, self._runs)

    def ended(self) -> Sequence[Visit]:
        return self._listed.settle()


class EarlierPipelinesVisit(EarlierVisit):
    """Walks on behind the oldest run that was read."""

    stream = PipelinesVisit.stream

    def begin(self) -> None:
        here = PipelineRun.objects.filter(
            repository=self.repository, created_on__gte=self.since.until
        )
        self.since = replace(self.since, behind=here.count())

    def walk(self, source: Source) -> Walk:
        yield from source.pipelines(self.repository.uuid, self.since)


def _came_of_age(after: datetime, until: datetime) -> Q:
    found = Q()
    for age in AGES:
        found |= Q(created_on__gt=after - age, created_on__lte=until - age)
    return found
