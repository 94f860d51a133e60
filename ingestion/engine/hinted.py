"""Fetches what a delivery tells of, and writes it, beside whatever sync is under way.

It walks with visits and writes in batches, as a slice does, but says of nothing that it is
complete: no watermark, head, checkpoint or gap moves. So the next sync reads that stretch as well,
and finds it unchanged.
"""

from contextlib import closing
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ingestion.engine import access
from ingestion.engine.inbox import Hold
from ingestion.engine.run import Run
from ingestion.engine.seat import Seat
from ingestion.engine.visits import history, steps
from ingestion.engine.visits.base import Visit
from ingestion.engine.visits.comments import CommentsVisit
from ingestion.engine.visits.hinted import (
    NewestRunsVisit,
    OneRepositoryVisit,
    PullRequestVisit,
    PushedVisit,
)
from ingestion.models import Delivery, PullRequest, Repository
from ingestion.services.repositories import selected_by
from ingestion.sources.base import Page
from ingestion.sources.hints import Hint
from ingestion.writer.batch import Batch, Counts, Place
from ingestion.writer.people import People


class NotKept(Exception):
    """A record could not be read or stored. The next sync meets it again, and says which."""


class Fetching:
    """What one delivery makes Tributary ask and write. `changed` counts the records that differed.

    `repository` may be None where it is the repository itself that is fetched.
    """

    def __init__(self, run: Run, hold: Hold, hint: Hint, repository: Repository | None) -> None:
        self._run = run
        self._hold = hold
        self._hint = hint
        self._repository = repository
        self._people = People(run.connection.home_id)
        self._seat = Seat(run.pool)
        self.changed = 0

    def fetch(self) -> Delivery.Outcome:
        """Fetch what changed. Raises ProviderError, NotKept, Lost."""
        self._people.load()
        with closing(self._seat):
            is_there = self._fetch()
        access.keep(self._run)
        if not is_there:
            return Delivery.Outcome.GONE
        return Delivery.Outcome.CHANGED if self.changed else Delivery.Outcome.UNCHANGED

    def _fetch(self) -> bool:
        """Whether what was told of is there."""
        if self._repository is None or self._hint.stream == OneRepositoryVisit.stream:
            return self._one_repository()
        if self._hint.number is not None:
            return self._pull_request(self._repository, self._hint.number)
        if self._hint.stream == PushedVisit.stream:
            self._walk(PushedVisit(self._run, self._repository))
        else:
            self._pipelines(self._repository)
        return True

    def _pull_request(self, repository: Repository, number: int) -> bool:
        """The pull request; then its history and its comments, where they are due by it."""
        visit = PullRequestVisit(self._run, repository, number)
        self._walk(visit)
        found = PullRequest.objects.filter(repository=repository, number=number, removed_at=None)
        if visit.is_gone:
            self._remove(found)
        one = found.first()
        if one is None:
            return False
        chosen = {one.pk: one.number}
        if self._run.copies(history.STREAM) and one.activity_done_for != one.due_for:
            self._walk(history.HistoriesVisit(self._run, repository, chosen, tuple))
        is_due = self._hint.is_detail or one.comments_done_for != one.due_for
        if self._run.copies(CommentsVisit.stream) and is_due:
            self._walk(CommentsVisit(self._run, repository, chosen))
        return True

    def _pipelines(self, repository: Repository) -> None:
        """The newest runs, and the steps of those of them that have finished."""
        newest = NewestRunsVisit(self._run, repository)
        self._walk(newest)
        if self._run.copies(steps.StepsVisit.stream):
            chosen = steps.due_among(self._run, repository, newest.uuids)
            if chosen:
                self._walk(steps.StepsVisit(self._run, repository, chosen))

    def _one_repository(self) -> bool:
        """Gone it is only where the delivery says so and Bitbucket shows it to nobody."""
        visit = OneRepositoryVisit(self._run, self._hint.repository)
        self._walk(visit)
        if visit.is_gone and self._hint.is_removal:
            mine = Repository.objects.filter(connection_id=self._run.connection.pk)
            self._remove(mine.filter(uuid=self._hint.repository, removed_at=None))
        return not visit.is_gone

    def _walk(self, visit: Visit) -> None:
        """Write the pages of a walk, each in a transaction behind the fence."""
        for page in visit.walk(self._seat.about(visit.about)):
            with transaction.atomic():
                self._hold.take()
                counts, before = self._write(visit.place, page), visit.counts.removed
                visit.arrived(page, counts)
                steps.note_read(self._run)
                self.changed += counts.changed + visit.counts.removed - before

    def _write(self, place: Place, page: Page) -> Counts:
        batch = Batch(
            organization_id=self._run.sync.organization_id,
            connection_id=self._run.connection.pk,
            people=self._people,
            now=self._run.clock.now(),
            is_selected=selected_by(self._run.connection.selection),
            careful=True,
        )
        batch.write([(place, page.rows)])
        if batch.rejections:
            raise NotKept
        total = Counts()
        for counts in batch.tally.values():
            total.add(counts)
        return total

    def _remove(self, rows: "QuerySet[Any]") -> None:
        with transaction.atomic():
            self._hold.take()
            now = self._run.clock.now()
            self.changed += rows.update(removed_at=now, changed_at=now)
