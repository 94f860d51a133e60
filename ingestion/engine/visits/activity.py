"""The history of a repository's pull requests: its feed, when anything is due and once a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from ingestion.engine.run import Run
from ingestion.engine.visits import comments, history, vanished
from ingestion.engine.visits.base import RepositoryVisit, Visit, nothing_listed
from ingestion.engine.visits.earlier import EarlierVisit, Then
from ingestion.models import Event, PullRequest, Repository
from ingestion.sources.base import OVERLAP, Checkpoint, Page, Since, Source, Walk
from ingestion.sources.rows import CommentRow, EventRow
from ingestion.writer.batch import Counts, Place

SEEN_AT_MOST = 20_000  # events of one walk that are remembered to find withdrawn ones


def after_pull_requests(run: Run, repository: Repository) -> Sequence[Visit]:
    """What follows once the pull requests of a repository stand."""
    place = Place(ActivityVisit.stream, repository.pk)
    if not run.copies(ActivityVisit.stream) or run.has_ended(place):
        return comments.after_activity(run, repository)
    if vanished.is_pending(run, place):
        return history.settle(run, repository)
    if _was_read_again(run, place):
        return history.one_by_one(run, repository)
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


def _was_read_again(run: Run, place: Place) -> bool:
    """Whether this reading of everything came to the end of the feed in an earlier slice."""
    known = run.book.known(place)
    if not run.is_full or known is None or known.looked_back_at is None or known.checkpoint:
        return False
    return known.looked_back_at >= run.reading_begun


@dataclass(slots=True)
class Feed:
    """What a walk of a repository's feed has seen so far."""

    repository: Repository
    brings_comments: bool
    reached: datetime | None = None
    beyond: Checkpoint | None = None

    def walk(self, source: Source, since: Since) -> Walk:
        for page in source.activity(self.repository.uuid, since):
            if not self.brings_comments:
                page.rows = [row for row in page.rows if not isinstance(row, CommentRow)]
            yield page

    def arrived(self, page: Page) -> None:
        if page.reached:
            self.reached = min(page.reached, self.reached or page.reached)
        self.beyond = page.beyond

    def ends_early(self, floor: datetime | None) -> bool:
        """Whether it ended above the opening of a pull request, which stands in it too."""
        if self.reached is None:
            return True
        if floor and self.reached < floor:
            return False
        mine = PullRequest.objects.filter(repository=self.repository)
        return bool(mine.filter(created_on__lt=self.reached - OVERLAP).exists())


class ActivityVisit(RepositoryVisit):
    """Walks the feed from the top down to the last walk's beginning, less an hour."""

    stream = history.STREAM

    def __init__(self, run: Run, repository: Repository, *, is_rest: bool = False) -> None:
        super().__init__(run, repository, is_rest=is_rest)
        self._since = self.resume(self.coverage.watermark)
        self._feed = Feed(repository, run.copies(comments.CommentsVisit.stream))
        sees_all = self._since.watermark is not None and self._since.checkpoint is None
        self._seen: set[history.Identity] | None = set() if sees_all else None

    def walk(self, source: Source) -> Walk:
        return self._feed.walk(source, self._since)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self.keep(page.checkpoint)
        self._feed.arrived(page)
        if not page.is_legible:
            self._seen = None
        if self._seen is not None:
            events = (row for row in page.rows if isinstance(row, EventRow))
            self._seen.update((one.pull_request, one.kind, one.happened_at) for one in events)
            if len(self._seen) > SEEN_AT_MOST:
                self._seen = None

    def ended(self) -> Sequence[Visit]:
        self._refuse_nothing()
        read = history.due(self.repository).filter(changed_at__lt=self.begun)
        if self.run.is_full:
            self.coverage.looked_back_at = self.begun
        if self._feed.ends_early(self._since.floor):
            if self._feed.reached:
                mark(read.filter(created_on__gte=self._feed.reached))
            if self.run.is_full:
                history.read_again(vanished.unseen(self.run, self.repository, self.stream))
            return history.one_by_one(self.run, self.repository, then=self._settle)
        self._withdraw()
        if self._since.watermark is None:
            self.cover()
            self.coverage.earlier = {"walk": self._feed.beyond} if self._feed.beyond else None
        mark(self._whole(read))
        is_behind = self.is_earlier and history.due(self.repository).exists()
        if is_behind or self.coverage.covered_from is None:
            return self._settle()
        self.reach(self.as_of)  # what the feed brought is not read again after a stop
        return self._follow()

    def _whole(self, read: "QuerySet[PullRequest]") -> "QuerySet[PullRequest]":
        """Those that were opened since the feed was read from, or were read up to this walk before.

        Of the others, which came into the window later, the feed has shown the end only.
        """
        begin = self.coverage.covered_from
        if begin is None:
            return read
        before = ~Q(activity_done_for=None) if self._since.watermark else Q()
        return read.filter(Q(created_on__gte=begin) | before)

    def _follow(self) -> Sequence[Visit]:
        """What the feed has further down, for a window that was widened; then what it lacks."""
        if self.run.lacks_earlier(self.place):
            opened = self.coverage.covered_from
            if history.due(self.repository).filter(created_on__lt=opened).exists():
                return [EarlierActivityVisit(self, self._follow)]
        return history.one_by_one(self.run, self.repository, then=self._settle)

    def _settle(self) -> Sequence[Visit]:
        """Every history that was due when the walk began is here."""
        if self.is_earlier and history.due(self.repository).exists():
            self.reach(self.as_of)  # what is new stands above the cursor where it went on
            return [ActivityVisit(self.run, self.repository, is_rest=True)]
        self.reach(self.as_of)
        self.coverage.looked_back_at, self.coverage.asked_at = self.begun, None
        return history.search(self.run, self.repository, self._end)

    def _end(self) -> Sequence[Visit]:
        self.complete(self.as_of)
        history.cover_window(self.run, self.place)
        return comments.after_activity(self.run, self.repository)

    def refused(self) -> Sequence[Visit]:
        """The feed is not shown: every history that is due is read by itself."""
        history.note_refusal(self.run, self.repository)
        return history.one_by_one(self.run, self.repository)

    def _refuse_nothing(self) -> None:
        """Raise NothingListed for a feed without entries: the newest of them are always listed."""
        if self._feed.reached or self.counts.read:
            return
        stored = Event.objects.filter(repository=self.repository, withdrawn_at=None)
        if stored.exists():
            raise nothing_listed(self.name, stored.count(), "entries of history")

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
        self.counts.removed += history.withdraw(self.run, stored, self._seen, begun=self.begun)


class EarlierActivityVisit(EarlierVisit):
    """Walks the feed on below where it was read to, after the walk of what is above."""

    stream = history.STREAM

    def __init__(self, above: ActivityVisit, then: Then) -> None:
        super().__init__(above.run, above.repository, then)
        self.begun = above.begun
        self._feed = Feed(above.repository, above.run.copies(comments.CommentsVisit.stream))

    def walk(self, source: Source) -> Walk:
        return self._feed.walk(source, self.since)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._feed.arrived(page)

    def ended(self) -> Sequence[Visit]:
        begin = self.covers_from
        if self._feed.ends_early(self.since.floor):
            begin = self._feed.reached or self.since.until
        read = history.due(self.repository).filter(changed_at__lt=self.begun)
        mark(read.filter(created_on__gte=begin) if begin else read)
        self.reached_back(self._feed.beyond)
        return self.then()

    def refused(self) -> Sequence[Visit]:
        """The feed is not shown any more: every history that is due is read by itself."""
        history.note_refusal(self.run, self.repository)
        return history.one_by_one(self.run, self.repository)


def mark(read: "QuerySet[PullRequest]") -> None:
    """The history of these is here."""
    read.update(activity_done_for=F("due_for"))
