"""The runs of a repository's pipelines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.writer.batch import Counts

LOOK_BACK = timedelta(days=14)  # a re-run keeps its uuid and its place in the listing


class PipelinesVisit(RepositoryVisit):
    """Reads runs, newest first, down to where nothing differs; once a day further."""

    stream = "pipelines"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        since = self.resume(self.coverage.watermark)
        self._looks_back = run.is_due_daily(self.coverage.looked_back_at)
        if self._looks_back:
            since = replace(since, look_back_to=self.begun - LOOK_BACK)
        self._since = since

    def walk(self, source: Source) -> Walk:
        yield from source.pipelines(self.repository.uuid, self._since)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.keep(page.checkpoint)

    def ended(self) -> Sequence[Visit]:
        if self._since.checkpoint is None:
            before = self.coverage.rows
            self.refuse_nothing("pipelines")
            self.coverage.rows = max(before, self.counts.read)
        self.complete(self.as_of)
        if self._looks_back:
            self.coverage.looked_back_at = self.begun
        return ()
