"""The members of a connection's workspace."""

from collections.abc import Sequence

from ingestion.engine.run import Run
from ingestion.engine.visits.base import Visit
from ingestion.models import Person
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import PersonRow
from ingestion.writer.batch import Counts


class PeopleVisit(Visit):
    """Lists every member; who is not listed any more stays, as somebody met on records."""

    stream = "people"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._seen: set[str] = set()
        self._is_legible = True

    def walk(self, source: Source) -> Walk:
        return source.people()

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._is_legible = self._is_legible and page.is_legible
        self._seen.update(row.uuid for row in page.rows if isinstance(row, PersonRow))

    def ended(self) -> Sequence[Visit]:
        self.refuse_nothing("people")
        if self._is_legible and not self.shortage:
            self._mark_who_left()
        self.complete(self.as_of)
        return ()

    def _mark_who_left(self) -> None:
        members = Person.objects.filter(connection_id=self.run.connection.pk, is_member=True)
        left = [key for key, uuid in members.values_list("pk", "uuid") if uuid not in self._seen]
        if left:
            now = self.run.clock.now()
            Person.objects.filter(pk__in=left).update(is_member=False, changed_at=now)
            self.counts.removed += len(left)
