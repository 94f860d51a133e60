"""Comments: what the feed did not bring, and later whatever was edited or deleted."""

from collections.abc import Iterable, Sequence
from functools import partial

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ingestion.engine.run import Run
from ingestion.engine.visits import refused, vanished
from ingestion.engine.visits.base import Visit, refuse_doubted
from ingestion.engine.visits.singles import SinglesVisit, due, next_due
from ingestion.models import Comment, PullRequest, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import CommentRow
from ingestion.writer.batch import Place

ACTIVITY = "pull_request_activity"


def after_activity(run: Run, repository: Repository) -> Sequence[Visit]:
    """The lists that are to be read, if any; else the stream ends here."""
    place = Place(CommentsVisit.stream, repository.pk)
    if not run.copies(CommentsVisit.stream) or run.has_ended(place):
        return ()
    if vanished.is_pending(run, place):
        return _search(run, repository)
    _settle_others(run, repository, place)
    return _next(run, repository, above=0)


def _settle_others(run: Run, repository: Repository, place: Place) -> None:
    """Mark those that need no list of their own.

    Until all were read once that is whatever never was and has all its live comments from the feed;
    always what has no comments, here nor at Bitbucket, for an edited comment moves no count.
    """
    if run.is_full:
        _make_due(run, repository, place)
    known = run.book.known(place)
    here = Comment.objects.filter(pull_request=OuterRef("pk"), removed_at=None)
    settled = Q(~Exists(here), comment_count=0)
    if known is None or known.complete_as_of is None:
        settled |= Q(comments_done_for=None, comment_count__lte=_count_of(here))
    others = due(repository, CommentsVisit.done_for).filter(settled)
    others.update(comments_done_for=F("due_for"))


def _make_due(run: Run, repository: Repository, place: Place) -> None:
    """Where everything is read, the lists are due, once, of what the feed has shown too few
    comments of.
    """
    coverage = run.book.coverage(place)
    if coverage.looked_back_at and coverage.looked_back_at >= run.reading_begun:
        return
    coverage.looked_back_at = run.clock.now()
    seen = Comment.objects.filter(pull_request=OuterRef("pk"), seen_by=run.reading)
    mine = PullRequest.objects.filter(repository=repository, seen_by=run.reading)
    mine.filter(comment_count__gt=_count_of(seen)).update(comments_done_for=None)


def _count_of(comments: "QuerySet[Comment]") -> Coalesce:
    """How many of these are not deleted, for each pull request."""
    live = comments.filter(is_deleted=False, removed_at=None).order_by().values("pull_request")
    count = Subquery(live.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    return Coalesce(count, 0)


def _next(
    run: Run, repository: Repository, *, above: int, doubted: Sequence[int] = ()
) -> Sequence[Visit]:
    chosen = next_due(repository, CommentsVisit.done_for, above=above)
    if chosen:
        return [CommentsVisit(run, repository, chosen, doubted)]
    refuse_doubted(repository.full_name, "comments", doubted)
    again = refused.of_pull_requests(run, repository, CommentsVisit.stream)
    if again.update(comments_done_for=None):
        return _next(run, repository, above=0)
    return _search(run, repository)


def _search(run: Run, repository: Repository) -> Sequence[Visit]:
    """A reading of everything asks for what it did not see, neither in the feed nor in a list."""
    is_whole = run.is_full and _feed_is_whole(run, repository)
    then = partial(_end, run, repository)
    return vanished.search(
        run, repository, CommentsVisit.stream, then, is_whole=is_whole, begin=run.since
    )


def _feed_is_whole(run: Run, repository: Repository) -> bool:
    """Whether what brings comments first came to a good end; without it every list was read."""
    place = Place(ACTIVITY, repository.pk)
    return ACTIVITY not in run.sync.streams or run.book.has_ended_well(place)


def _end(run: Run, repository: Repository) -> Sequence[Visit]:
    """The stream ends here, as complete as the pull requests are."""
    place = Place(CommentsVisit.stream, repository.pk)
    coverage = run.book.coverage(place)
    listed = run.book.known(Place("pull_requests", repository.pk))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.watermark = coverage.complete_as_of
    coverage.ended_by, coverage.refusals = run.sync.pk, 0
    run.book.close_gap(place)
    return ()


class CommentsVisit(SinglesVisit[int]):
    """Lists all comments of some pull requests."""

    stream = "pull_request_comments"
    done_for = "comments_done_for"

    def walk(self, source: Source) -> Walk:
        yield from source.comments(self.repository.uuid, self.numbers)

    def identities(self, page: Page) -> Iterable[int]:
        return (row.number for row in page.rows if isinstance(row, CommentRow))

    def ended(self) -> Sequence[Visit]:
        return _next(self.run, self.repository, above=self.last, doubted=self.doubted)

    def is_doubtful(self, page: Page, key: int) -> bool:
        """Nothing may be listed only where there are no comments by Bitbucket's own count."""
        if page.is_short:
            return True
        if page.is_missing or self._seen or not self._is_legible:
            return False
        return PullRequest.objects.filter(pk=key, comment_count__gt=0).exists()

    def remove_others(self, key: int) -> None:
        now = self.run.clock.now()
        kept = Comment.objects.filter(
            pull_request_id=key, removed_at=None, changed_at__lt=self.begun
        )
        gone = [pk for pk, n in kept.values_list("pk", "number") if n not in self._seen]
        if gone:
            Comment.objects.filter(pk__in=gone).update(removed_at=now, changed_at=now)
            self.counts.removed += len(gone)
