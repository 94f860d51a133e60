"""The repositories of a connection: a full listing, and what is gone."""

from collections.abc import Sequence
from typing import Any

from ingestion.engine import access
from ingestion.engine.pool import About
from ingestion.engine.run import Run
from ingestion.engine.visits.base import Visit
from ingestion.engine.visits.listings import Listings
from ingestion.models import Coverage, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.writer.batch import Counts, Place

MOST_GONE = 0.2  # of all; more is rather a mistake than the truth
FEW = 1  # so many may always go; else none ever could where there are fewer than five
NOT_ALL = {"chosen": "is among those", "patterns": "fits the patterns"}  # ways to choose


class RepositoriesVisit(Visit):
    """Lists every repository that the credentials see, each its own.

    What it lacks is kept in the checkpoint, with what a person says to many of them being gone:
    `confirmed` is null where nobody had to be asked.
    """

    stream = "repositories"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.listings = Listings(run.pool, About(self.stream))
        self.missing: set[int] = set()  # kept here and not listed: not visited

    def walk(self, source: Source) -> Walk:
        return self.listings.walk()

    def ended(self) -> Sequence[Visit]:
        self.refuse_nothing("repositories")
        confirmed = self._confirmed()
        found = self._missing()
        self.missing = {one.pk for one in found}
        access.keep(self.run, but={one.uuid for one in found})
        if self.listings.waits:
            return []  # the next slice lists them again, with all credentials
        self.complete(self.as_of)
        note_nothing_chosen(self)
        if not found:
            return []
        doubt = self._doubt(found, confirmed)
        if doubt:
            self.coverage.gap = doubt
            self.keep({"missing": sorted(self.missing), "confirmed": False})
            return []
        self.keep({"missing": sorted(self.missing), "confirmed": True if confirmed else None})
        return [GoneVisit(self.run, found)]

    def _missing(self) -> list[Repository]:
        """Those that are chosen and kept here, and that every credential which had seen them
        lacks in its whole listing. Where none of these is left, nobody can tell.
        """
        kept = Repository.objects.filter(
            connection_id=self.run.connection.pk, is_selected=True, removed_at=None
        ).only("pk", "uuid", "full_name")
        unlisted = [one for one in kept.order_by("pk") if one.uuid not in self.listings.shown]
        had_seen = access.witnesses(self.run, unlisted) if unlisted else {}
        whole = set(self.listings.whole)
        return [one for one in unlisted if had_seen[one.pk] and had_seen[one.pk] <= whole]

    def _doubt(self, missing: list[Repository], confirmed: set[int]) -> dict[str, Any] | None:
        """The gap where what is missing is not to be taken as gone, nor asked for."""
        if self.shortage:
            return self.shortage.as_dict()
        most = max(FEW, MOST_GONE * (len(missing) + len(self.listings.shown)))
        return many_gone(missing) if len(self.missing - confirmed) > most else None

    def _confirmed(self) -> set[int]:
        """What an earlier listing lacked, and a person said to be gone; maybe a moment ago."""
        mine = Coverage.objects.filter(
            connection_id=self.run.connection.pk, stream=self.stream, repository=None
        )
        kept = mine.values_list("checkpoint", flat=True).first()
        walk = kept["walk"] if kept else {}
        return set(walk["missing"]) if walk.get("confirmed") else set()


def many_gone(missing: Sequence[Repository]) -> dict[str, Any]:
    """The gap of a listing that lacks so many that a person is asked whether it is true."""
    names = ", ".join(one.full_name for one in missing[:3])
    return {
        "code": "many_gone",
        "message": f"{len(missing):,} repositories are not listed any more"
        f" ({names}{', …' if len(missing) > 3 else ''})."
        " That is more than a fifth of all, so nothing was marked as gone.",
        "retryable": False,
        "mended_by": "admin",
    }


class GoneVisit(Visit):
    """Asks for each missing repository by its uuid; only a refusal marks it as gone."""

    stream = "repositories"

    def __init__(self, run: Run, missing: list[Repository]) -> None:
        super().__init__(run)
        self._missing = missing
        self.found: list[int] = []

    def walk(self, source: Source) -> Walk:
        for one in self._missing:
            is_gone = source.is_gone(one.uuid)
            yield Page(rows=(), gone=[one.pk]) if is_gone else Page(rows=(), there=[one.pk])

    def arrived(self, page: Page, counts: Counts) -> None:
        """Each is settled by itself: a slice that ends here leaves the rest to the next."""
        super().arrived(page, counts)
        gone, there = (
            [key for key in keys if isinstance(key, int)] for keys in (page.gone, page.there)
        )
        now = self.run.clock.now()
        lost = Repository.objects.filter(pk__in=gone, removed_at=None)
        self.counts.removed += lost.update(removed_at=now, changed_at=now)
        self.found += there
        kept = self.coverage.checkpoint
        if kept:
            left = [key for key in kept["walk"]["missing"] if key not in (*gone, *there)]
            self.coverage.checkpoint = {**kept, "walk": {**kept["walk"], "missing": left}}

    def ended(self) -> Sequence[Visit]:
        note_nothing_chosen(self)
        self.keep(None)
        return ()


def still_missing(run: Run) -> tuple[set[int], Sequence[Visit]]:
    """What this sync's listing lacked, and the visit to it if an earlier slice did not end that.

    None is asked for as long as a person has to say first that so many are gone.
    """
    stopped = run.unfinished(Place(GoneVisit.stream, None))
    if stopped is None:
        return set(), ()
    missing = set(stopped.checkpoint["missing"])
    if stopped.checkpoint["confirmed"] is False:
        return missing, ()
    there = Repository.objects.filter(pk__in=missing, removed_at=None)
    return missing, [GoneVisit(run, list(there.order_by("pk")))]


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
