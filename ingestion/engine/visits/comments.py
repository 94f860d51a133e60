"""Comments: what the feed did not bring, and later whatever was edited or deleted."""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from ingestion.engine.run import Run
from ingestion.engine.visits.base import Visit, refuse_doubted
from ingestion.engine.visits.singles import SinglesVisit, due, next_due
from ingestion.models import Comment, PullRequest, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import CommentRow
from ingestion.writer.batch import Place


def after_activity(run: Run, repository: Repository) -> Sequence[Visit]:
    """The lists that are to be read, if any; else the stream ends here."""
    place = Place(CommentsVisit.stream, repository.pk)
    if not run.copies(CommentsVisit.stream) or run.has_ended(place):
        return ()
    _settle_others(run, repository, place)
    return _next(run, repository, above=0)


def _settle_others(run: Run, repository: Repository, place: Place) -> None:
    """Mark those that need no list of their own.

    The first time that is everything whose live comments the feed brought; later what has no
    comments, here nor at Bitbucket, for an edited comment moves no count.
    """
    known = run.book.known(place)
    here = Comment.objects.filter(pull_request=OuterRef("pk"), removed_at=None)
    others = due(repository, CommentsVisit.done_for)
    if known is None or known.complete_as_of is None:
        live = here.filter(is_deleted=False).order_by().values("pull_request")
        count = Subquery(live.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        others = others.filter(comment_count__lte=Coalesce(count, 0))
    else:
        others = others.filter(~Exists(here), comment_count=0)
    others.update(comments_done_for=F("due_for"))


def _next(
    run: Run, repository: Repository, *, above: int, doubted: Sequence[int] = ()
) -> Sequence[Visit]:
    chosen = next_due(repository, CommentsVisit.done_for, above=above)
    if chosen:
        return [CommentsVisit(run, repository, chosen, doubted)]
    refuse_doubted(repository.full_name, "comments", doubted)
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
        kept = Comment.objects.filter(pull_request_id=key, removed_at=None)
        gone = [pk for pk, n in kept.values_list("pk", "number") if n not in self._seen]
        if gone:
            Comment.objects.filter(pk__in=gone).update(removed_at=now, changed_at=now)
            self.counts.removed += len(gone)
