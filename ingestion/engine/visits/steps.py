"""The steps of runs that have finished: a request for each, and only where a run is due."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from ingestion.engine.run import Run
from ingestion.engine.visits import refused
from ingestion.engine.visits.base import NothingListed, RepositoryVisit, Visit
from ingestion.models import PipelineRun, Repository, Step
from ingestion.models.builds import STEPS_DUE
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import StepRow
from ingestion.writer.batch import Counts, Place
from ingestion.writer.changes import change

AT_A_TIME = 50  # runs whose steps one walk reads
FEW = 5  # runs whose steps a delivery reads


class Due(NamedTuple):
    """A run whose steps are read: our key of it, what it was when they were due, and for what its
    steps were read before, if ever."""

    key: int
    run_number: int
    completed_on: datetime | None
    done_for: datetime | None


def after_pipelines(run: Run, repository: Repository) -> Sequence[Visit]:
    """What follows once the runs of a repository stand."""
    place = Place(StepsVisit.stream, repository.pk)
    if not run.copies(StepsVisit.stream) or run.has_ended(place):
        return ()
    return _next(run, repository)


def read_again(repository: Repository) -> None:
    """Everything is read anew: the steps of every run are due."""
    PipelineRun.objects.filter(repository=repository).update(steps_done_run=None)


def note_read(run: Run) -> None:
    """Mark the runs whose steps came with a batch, in one statement."""
    read, run.steps_read = run.steps_read, []
    if read:
        rows = [
            PipelineRun(pk=key, steps_done_run=number, steps_done_for=moment)
            for key, number, moment in read
        ]
        change(rows, ["steps_done_run", "steps_done_for"])


def _due(run: Run, repository: Repository) -> "QuerySet[PipelineRun]":
    """Finished runs whose steps are to be read, within the history window."""
    found = PipelineRun.objects.filter(STEPS_DUE, repository=repository, removed_at=None)
    return found.filter(created_on__gte=run.since) if run.since else found


def due_among(run: Run, repository: Repository, runs: Collection[str]) -> dict[str, Due]:
    """The newest of these runs whose steps are due; not many: the next sync reads the others."""
    return _chosen(_due(run, repository).filter(uuid__in=runs).order_by("-created_on", "-pk")[:FEW])


def _chosen(rows: "QuerySet[PipelineRun]") -> dict[str, Due]:
    found = rows.only("uuid", "run_number", "completed_on", "steps_done_for")
    return {
        row.uuid: Due(row.pk, row.run_number, row.completed_on, row.steps_done_for) for row in found
    }


def _next(
    run: Run, repository: Repository, *, above: int = 0, doubted: Sequence[int] = ()
) -> Sequence[Visit]:
    waiting = _due(run, repository).filter(pk__gt=above).order_by("pk")
    chosen = _chosen(waiting[:AT_A_TIME])
    if chosen:
        return [StepsVisit(run, repository, chosen, doubted)]
    _refuse_doubted(repository, doubted)
    again = refused.details_due(run, repository, StepsVisit.stream)
    mine = PipelineRun.objects.filter(repository=repository, uuid__in=again, removed_at=None)
    if again and mine.update(steps_done_run=None):
        return _next(run, repository)
    coverage = run.book.coverage(Place(StepsVisit.stream, repository.pk))
    listed = run.book.known(Place("pipelines", repository.pk))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.watermark = coverage.complete_as_of
    coverage.ended_by, coverage.refusals = run.sync.pk, 0
    run.book.close_gap(Place(StepsVisit.stream, repository.pk))
    return ()


def _refuse_doubted(repository: Repository, doubted: Sequence[int]) -> None:
    if doubted:
        runs = PipelineRun.objects.filter(pk__in=doubted[:3]).order_by("number")
        named = ", ".join(f"#{number}" for number in runs.values_list("number", flat=True))
        raise NothingListed(
            f"{repository.full_name}: Bitbucket lists too few steps of its runs"
            f" ({len(doubted):,}: {named}). What was read is kept, and they are asked for again."
        )


class StepsVisit(RepositoryVisit):
    """Lists all steps of some runs; what a list lacks is gone.

    `chosen` are the runs by their uuids; `doubted` the keys of those whose list cannot be true, of
    this walk and of the ones before.
    """

    stream = "pipeline_steps"

    def __init__(
        self, run: Run, repository: Repository, chosen: dict[str, Due], doubted: Sequence[int] = ()
    ) -> None:
        super().__init__(run, repository)
        self._chosen = chosen
        self._doubted = list(doubted)
        self._seen: set[str] = set()
        self._is_legible = True

    def walk(self, source: Source) -> Walk:
        yield from source.steps(self.repository.uuid, list(self._chosen))

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._seen.update(row.uuid for row in page.rows if isinstance(row, StepRow))
        self._is_legible = self._is_legible and page.is_legible
        if page.finished is not None:
            self._finish(page, self._chosen[str(page.finished)])
            self._seen, self._is_legible = set(), True

    def ended(self) -> Sequence[Visit]:
        last = max(due.key for due in self._chosen.values())
        return _next(self.run, self.repository, above=last, doubted=self._doubted)

    def _finish(self, page: Page, due: Due) -> None:
        """Mark a run as read, by what it was before its steps were asked for."""
        if self._is_doubtful(page, due):
            self._doubted.append(due.key)
            return
        if due.done_for and self._is_legible and not page.is_missing:
            self._remove_others(due)
        self.run.book.rejections.resolve_details(self.place, str(page.finished), self.begun)
        self.run.steps_read.append((due.key, due.run_number, due.completed_on))

    def _is_doubtful(self, page: Page, due: Due) -> bool:
        """Nothing may be listed only where there was nothing before."""
        if page.is_short:
            return True
        if due.done_for is None or page.is_missing or self._seen or not self._is_legible:
            return False
        return bool(Step.objects.filter(run_id=due.key, removed_at=None).exists())

    def _remove_others(self, due: Due) -> None:
        now = self.run.clock.now()
        kept = Step.objects.filter(run_id=due.key, removed_at=None, changed_at__lt=self.begun)
        gone = [pk for pk, uuid in kept.values_list("pk", "uuid") if uuid not in self._seen]
        if gone:
            Step.objects.filter(pk__in=gone).update(removed_at=now, changed_at=now)
            self.counts.removed += len(gone)
