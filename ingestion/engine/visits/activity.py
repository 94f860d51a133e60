"""The history of a repository's pull requests: its feed, when anything is due and once a day."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from ingestion.engine.run import Run
from ingestion.engine.visits import comments, history
from ingestion.engine.visits.base import RepositoryVisit, Visit, nothing_listed
from ingestion.models import Event, PullRequest, Repository
from ingestion.sources.base import OVERLAP, Page, Source, Walk
from ingestion.sources.rows import CommentRow, EventRow
from ingestion.writer.batch import Counts, Place

SEEN_AT_MOST = 20_000  # events of one walk that are remembered to find withdrawn ones


def after_pull_requests(run: Run, repository: Repository) -> Sequence[Visit]:
    """What follows once the pull requests of a repository stand."""
    place = Place(ActivityVisit.stream, repository.pk)
    if not run.copies(ActivityVisit.stream) or run.has_ended(place):
        return comments.after_activity(run, repository)
    if _is_due(run, repository, place):
        if history.is_feed_refused(run, place):
            return history.one_by_one(run, repository)
        return [ActivityVisit(run, repository)]
    return history.settle(run, repository)


def _is_due(run: Run, repository: Repository, place: Place) -> bool:
    known = run.book.known(place)
    if run.is_full or (known and known.checkpoint):
        return True
    mine = PullRequest.objects.filter(repository=repository)
    if known is None or known.watermark is None or run.is_due_daily(known.looked_back_at):
        return bool(mine.exists())
    return bool(history.due(repository).exists())


class ActivityVisit(RepositoryVisit):
    """Walks the feed from the top down to the last walk's beginning, less an hour."""

    stream = history.STREAM

    def __init__(self, run: Run, repository: Repository) -> None:
        super().__init__(run, repository)
        self._since = self.resume(self.coverage.watermark)
        self._reached: datetime | None = None
        self._brings_comments = run.copies(comments.CommentsVisit.stream)
        sees_all = self._since.watermark is not None and self._since.checkpoint is None
        self._seen: set[history.Identity] | None = set() if sees_all else None

    def walk(self, source: Source) -> Walk:
        for page in source.activity(self.repository.uuid, self._since):
            if not self._brings_comments:
                page.rows = [row for row in page.rows if not isinstance(row, CommentRow)]
            yield page

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.keep(page.checkpoint)
        events = [row for row in page.rows if isinstance(row, EventRow)]
        moments = [one.happened_at for one in events]
        self._reached = min([*moments, self._reached] if self._reached else moments, default=None)
        if not page.is_legible:
            self._seen = None
        if self._seen is not None:
            self._seen.update((one.pull_request, one.kind, one.happened_at) for one in events)
            if len(self._seen) > SEEN_AT_MOST:
                self._seen = None

    def ended(self) -> Sequence[Visit]:
        self._refuse_nothing()
        read = history.due(self.repository).filter(changed_at__lt=self.begun)
        if self._ends_early():
            if self._reached:
                read.filter(created_on__gte=self._reached).update(activity_done_for=F("due_for"))
            return history.one_by_one(self.run, self.repository, then=self._settle)
        self._withdraw()
        read.update(activity_done_for=F("due_for"))
        return self._settle()

    def _settle(self) -> Sequence[Visit]:
        """Every history that was due when the walk began is here."""
        if self.is_earlier and history.due(self.repository).exists():
            self.reach(self.as_of)  # what is new stands above the cursor where it went on
            return [ActivityVisit(self.run, self.repository)]
        self.complete(self.as_of)
        self.coverage.looked_back_at, self.coverage.asked_at = self.begun, None
        return comments.after_activity(self.run, self.repository)

    def refused(self) -> Sequence[Visit]:
        """The feed is not shown: every history that is due is read by itself."""
        history.note_refusal(self.run, self.repository)
        return history.one_by_one(self.run, self.repository)

    def _refuse_nothing(self) -> None:
        """Raise NothingListed for a feed without entries: the newest of them are always listed."""
        stored = Event.objects.filter(repository=self.repository, withdrawn_at=None)
        if self.counts.read == 0 and stored.exists():
            raise nothing_listed(self.name, stored.count(), "entries of history")

    def _ends_early(self) -> bool:
        """Whether the feed ended above the opening of a pull request, which stands in it too."""
        if self._reached is None:
            return True
        floor = self._since.floor
        if floor and self._reached < floor:
            return False
        mine = PullRequest.objects.filter(repository=self.repository)
        return bool(mine.filter(created_on__lt=self._reached - OVERLAP).exists())

    def _withdraw(self) -> None:
        """Mark what the feed lacks by now, where this walk saw all of the feed."""
        through = self._since.watermark
        if self._seen is None or through is None:
            return
        stored = Event.objects.filter(
            repository=self.repository,
            happened_at__gte=through,
            happened_at__lt=self.as_of or self.begun,
        )
        self.counts.removed += history.withdraw(self.run, stored, self._seen)
