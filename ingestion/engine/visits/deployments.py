"""The deployments of a repository: all of them each time, for they come in no order."""

from collections.abc import Sequence

from ingestion.engine.run import Run
from ingestion.engine.visits import vanished
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import Deployment, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import DeploymentRow
from ingestion.writer.batch import Counts


class DeploymentsVisit(RepositoryVisit):
    """Lists every deployment; what the list lacks is gone."""

    stream = "deployments"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        self._seen: set[str] = set()
        self._is_legible = True
        self.is_anew = True

    def walk(self, source: Source) -> Walk:
        yield from source.deployments(self.repository.uuid)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._is_legible = self._is_legible and page.is_legible
        self._seen.update(row.uuid for row in page.rows if isinstance(row, DeploymentRow))

    def ended(self) -> Sequence[Visit]:
        self.refuse_nothing("deployments")
        self.reach(self.as_of)
        return self.search()

    def search(self) -> Sequence[Visit]:
        """What the list lacks is asked for, in every sync: each reads all of it."""
        lacks = self._is_legible and not vanished.is_pending(self.run, self.place)
        return vanished.search(
            self.run,
            self.repository,
            self.stream,
            self._end,
            is_whole=lacks and self._note_seen(),
            begun=self.begun,
        )

    def _end(self) -> Sequence[Visit]:
        self.complete(None)
        return ()

    def _note_seen(self) -> bool:
        """Mark what was listed and what was not, if anything was not, or was missing before."""
        kept = Deployment.objects.filter(repository=self.repository, removed_at=None)
        rows = dict(kept.values_list("pk", "uuid"))
        others = [pk for pk, uuid in rows.items() if uuid not in self._seen]
        if not others and not self.coverage.missing:
            return False
        kept.update(seen_by=self.run.reading)
        kept.filter(pk__in=others).update(seen_by=None)
        return True
