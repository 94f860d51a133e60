"""The history of a repository's pull requests: its feed, when anything is due and once a day."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Q, QuerySet

from ingestion.engine.run import Run
from ingestion.engine.visits import comments
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import Event, PullRequest, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import CommentRow, EventRow
from ingestion.writer.batch import Counts, Place

SEEN_AT_MOST = 20_000  # events of one walk that are remembered to find withdrawn ones


def after_pull_requests(run: Run, repository: Repository) -> Sequence[Visit]:
    """What follows once the pull requests of a repository stand."""
    place = Place(ActivityVisit.stream, repository.pk)
    if not run.copies(ActivityVisit.stream) or run.has_ended(place):
        return comments.after_activity(run, repository)
    if _is_due(run, repository, place):
        return [ActivityVisit(run, repository)]
    coverage, listed = run.book.coverage(place), run.book.known(listing(repository))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.ended_by, coverage.gap = run.sync.pk, None
    return comments.after_activity(run, repository)


def due(repository: Repository) -> "QuerySet[PullRequest]":
    """Pull requests that changed since their history was read."""
    return PullRequest.objects.filter(
        Q(activity_done_for=None) | ~Q(activity_done_for=F("due_for")),
        repository=repository,
        due_for__isnull=False,
    )


def listing(repository: Repository) -> Place:
    """Where the pull requests of a repository belong."""
    return Place("pull_requests", repository.pk)


def _is_due(run: Run, repository: Repository, place: Place) -> bool:
    known = run.book.known(place)
    if run.is_full or (known and known.checkpoint):
        return True
    mine = PullRequest.objects.filter(repository=repository)
    if known is None or known.watermark is None or run.is_due_daily(known.looked_back_at):
        return bool(mine.exists())
    return bool(due(repository).exists())


class ActivityVisit(RepositoryVisit):
    """Walks the feed from the top down to the last walk's beginning, less an hour."""

    stream = "pull_request_activity"

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        self._since = self.resume(self.coverage.watermark)
        self._brings_comments = run.copies(comments.CommentsVisit.stream)
        # Pull request, kind and time: the person may be nobody by now, and the key another.
        sees_all = self._since.watermark is not None and self._since.checkpoint is None
        self._seen: set[tuple[int, str, datetime]] | None = set() if sees_all else None

    def walk(self, source: Source) -> Walk:
        for page in source.activity(self.repository.uuid, self._since):
            if not self._brings_comments:
                page.rows = [row for row in page.rows if not isinstance(row, CommentRow)]
            yield page

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.keep(page.checkpoint)
        if self._seen is not None:
            events = (row for row in page.rows if isinstance(row, EventRow))
            self._seen.update((one.pull_request, one.kind, one.happened_at) for one in events)
            if len(self._seen) > SEEN_AT_MOST:
                self._seen = None

    def ended(self) -> Sequence[Visit]:
        is_whole = self._since.watermark is None and self._since.checkpoint is None
        if is_whole:
            self.refuse_nothing("entries of history")
        self._withdraw()
        due(self.repository).filter(changed_at__lt=self.begun).update(
            activity_done_for=F("due_for")
        )
        self.complete(self.as_of)
        if is_whole:
            self.doubt_nothing()
        self.coverage.looked_back_at = self.begun
        return comments.after_activity(self.run, self.repository)

    def _withdraw(self) -> None:
        """Mark what the feed lacks by now, where this walk saw all of the feed."""
        through = self._since.watermark
        if self._seen is None or through is None:
            return
        now = self.run.clock.now()
        stored = Event.objects.filter(
            repository=self.repository,
            withdrawn_at=None,
            happened_at__gte=through,
            happened_at__lt=self.as_of or self.begun,
        ).values_list("pk", "pull_request__number", "kind", "happened_at")
        gone = [key for key, *identity in stored if tuple(identity) not in self._seen]
        if gone:
            Event.objects.filter(pk__in=gone).update(withdrawn_at=now, changed_at=now)
            self.counts.removed += len(gone)
