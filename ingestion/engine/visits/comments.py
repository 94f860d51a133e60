"""Comments: what the feed did not bring, and later whatever was edited or deleted."""

from collections.abc import Sequence

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import Comment, PullRequest, Repository
from ingestion.sources.base import Page, Source, Walk
from ingestion.sources.rows import CommentRow
from ingestion.writer.batch import Counts, Place

AT_A_TIME = 50  # pull requests whose comments one walk lists


def after_activity(run: Run, repository: Repository) -> Sequence[Visit]:
    """The lists that are to be read, if any; else the stream ends here."""
    place = Place(CommentsVisit.stream, repository.pk)
    if not run.copies(CommentsVisit.stream) or run.has_ended(place):
        return ()
    _settle_others(run, repository, place)
    return _next(run, repository, above=0)


def due(repository: Repository) -> "QuerySet[PullRequest]":
    """Pull requests that changed since their comments were read."""
    return PullRequest.objects.filter(
        Q(comments_done_for=None) | ~Q(comments_done_for=F("due_for")),
        repository=repository,
        due_for__isnull=False,
    )


def _settle_others(run: Run, repository: Repository, place: Place) -> None:
    """Mark those that need no list of their own.

    The first time that is everything whose live comments the feed brought; later what has no
    comments, here nor at Bitbucket, for an edited comment moves no count.
    """
    known = run.book.known(place)
    here = Comment.objects.filter(pull_request=OuterRef("pk"), removed_at=None)
    others = due(repository)
    if known is None or known.complete_as_of is None:
        live = here.filter(is_deleted=False).order_by().values("pull_request")
        count = Subquery(live.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        others = others.filter(comment_count__lte=Coalesce(count, 0))
    else:
        others = others.filter(~Exists(here), comment_count=0)
    others.update(comments_done_for=F("due_for"))


def _next(run: Run, repository: Repository, *, above: int) -> Sequence[Visit]:
    waiting = due(repository).filter(pk__gt=above).order_by("pk")
    chosen = list(waiting.values_list("pk", "number")[:AT_A_TIME])
    if chosen:
        return [CommentsVisit(run, repository, dict(chosen))]
    coverage = run.book.coverage(Place(CommentsVisit.stream, repository.pk))
    listed = run.book.known(Place("pull_requests", repository.pk))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.watermark = coverage.complete_as_of
    coverage.ended_by, coverage.gap, coverage.refusals = run.sync.pk, None, 0
    return ()


class CommentsVisit(RepositoryVisit):
    """Lists all comments of some pull requests, one after the other."""

    stream = "pull_request_comments"

    def __init__(self, run: Run, repository: Repository, chosen: dict[int, int]) -> None:
        super().__init__(run, repository)
        self._chosen = chosen
        self._keys = {number: key for key, number in chosen.items()}
        self._listed: set[int] = set()

    def walk(self, source: Source) -> Walk:
        yield from source.comments(self.repository.uuid, list(self._chosen.values()))

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._listed.update(row.number for row in page.rows if isinstance(row, CommentRow))
        if page.finished is not None:
            self._finish(self._keys[page.finished], is_missing=page.is_missing)
            self._listed = set()

    def ended(self) -> Sequence[Visit]:
        return _next(self.run, self.repository, above=max(self._chosen))

    def _finish(self, key: int, *, is_missing: bool) -> None:
        """The list of one pull request was read to its end: what it lacks is gone."""
        if not is_missing:
            now = self.run.clock.now()
            kept = Comment.objects.filter(pull_request_id=key, removed_at=None)
            gone = [pk for pk, n in kept.values_list("pk", "number") if n not in self._listed]
            if gone:
                Comment.objects.filter(pk__in=gone).update(removed_at=now, changed_at=now)
                self.counts.removed += len(gone)
        PullRequest.objects.filter(pk=key, changed_at__lt=self.begun).update(
            comments_done_for=F("due_for")
        )
