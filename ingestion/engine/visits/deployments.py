"""The deployments of a repository: all of them each time, for they come in no order."""

from collections.abc import Sequence

from ingestion.engine.run import Run
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

    def walk(self, source: Source) -> Walk:
        yield from source.deployments(self.repository.uuid)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._is_legible = self._is_legible and page.is_legible
        self._seen.update(row.uuid for row in page.rows if isinstance(row, DeploymentRow))

    def ended(self) -> Sequence[Visit]:
        self.refuse_nothing("deployments")
        if self._is_legible:
            self._remove_others()
        self.complete(self.as_of)
        return ()

    def _remove_others(self) -> None:
        kept = Deployment.objects.filter(repository=self.repository, removed_at=None)
        gone = [pk for pk, uuid in kept.values_list("pk", "uuid") if uuid not in self._seen]
        if gone:
            now = self.run.clock.now()
            Deployment.objects.filter(pk__in=gone).update(removed_at=now, changed_at=now)
            self.counts.removed += len(gone)
