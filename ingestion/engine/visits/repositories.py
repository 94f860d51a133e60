"""The repositories of a connection: a full listing, and what is gone."""

from collections.abc import Sequence

from ingestion.engine.run import Run
from ingestion.engine.visits.base import Visit
from ingestion.models import Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import RepositoryRow
from ingestion.writer.batch import Counts, Place

MOST_GONE = 0.2  # of all; more is rather a mistake than the truth
FEW = 1  # so many may always go; else none ever could where there are fewer than five
NOT_ALL = {"chosen": "is among those", "patterns": "fits the patterns"}  # ways to choose


class RepositoriesVisit(Visit):
    """Lists every repository that the credential sees."""

    stream = "repositories"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._seen: set[str] = set()
        self.missing: set[int] = set()  # kept here and not listed: asked for one by one

    def walk(self, source: Source) -> Walk:
        return source.repositories()

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._seen.update(row.uuid for row in page.rows if isinstance(row, RepositoryRow))

    def ended(self) -> Sequence[Visit]:
        self.refuse_nothing("repositories")
        self.complete(self.as_of)
        note_nothing_chosen(self)
        found = self._missing()
        self.missing = {one.pk for one in found}
        self.keep({"missing": sorted(self.missing)} if found else None)
        return [GoneVisit(self.run, found)] if found else []

    def _missing(self) -> list[Repository]:
        """Those that are kept here, that were there, and that the listing lacks."""
        kept = Repository.objects.filter(
            connection_id=self.run.connection.pk, removed_at=None
        ).only("pk", "uuid", "full_name")
        found = [one for one in kept if one.uuid not in self._seen]
        limit = max(FEW, MOST_GONE * (len(found) + len(self._seen)))
        if len(found) > limit:
            names = ", ".join(one.full_name for one in found[:3])
            self.coverage.gap = {
                "code": "many_gone",
                "message": f"{len(found):,} repositories are not listed any more ({names}, …)."
                " That is a fifth of all or more, so nothing was marked as gone.",
                "retryable": False,
                "mended_by": "admin",
            }
            return []
        return found


class GoneVisit(Visit):
    """Asks for each missing repository by its uuid; only a refusal marks it as gone."""

    stream = "repositories"

    def __init__(self, run: Run, missing: list[Repository]) -> None:
        super().__init__(run)
        self._missing = missing
        self._gone: list[int] = []
        self.found: list[int] = []

    def walk(self, source: Source) -> Walk:
        for one in self._missing:
            (self._gone if source.is_gone(one.uuid) else self.found).append(one.pk)
            yield Page(rows=())

    def ended(self) -> Sequence[Visit]:
        now = self.run.clock.now()
        self.counts.removed += Repository.objects.filter(pk__in=self._gone, removed_at=None).update(
            removed_at=now, changed_at=now
        )
        note_nothing_chosen(self)
        self.keep(None)
        return ()


def still_missing(run: Run) -> list[Repository]:
    """What this sync's listing lacked, where a slice ended before each of them was asked for."""
    stopped = run.unfinished(Place(GoneVisit.stream, None))
    missing = stopped.checkpoint["missing"] if stopped else ()
    return list(Repository.objects.filter(pk__in=missing, removed_at=None).order_by("pk"))


def note_nothing_chosen(visit: Visit) -> None:
    """Leave a gap where repositories are listed and the selection takes in none of them."""
    coverage, connection = visit.coverage, visit.run.connection
    how = NOT_ALL.get((connection.selection.get("repositories") or {}).get("mode", "all"))
    kept = Repository.objects.filter(connection_id=connection.pk, removed_at=None)
    if how and coverage.rows and not kept.filter(is_selected=True).exists():
        coverage.gap = {
            "code": "nothing_chosen",
            "message": f"None of the repositories that Bitbucket lists ({coverage.rows:,}) {how}"
            " chosen for this connection. Nothing of them is synced until others are chosen.",
            "retryable": False,
            "mended_by": "admin",
        }
