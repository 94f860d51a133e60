"""Comments: what the feed did not bring, and later whatever was edited or deleted."""

from collections.abc import Sequence

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit, refuse_doubted
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


def _next(
    run: Run, repository: Repository, *, above: int, doubted: Sequence[int] = ()
) -> Sequence[Visit]:
    waiting = due(repository).filter(pk__gt=above).order_by("pk")
    chosen = list(waiting.values_list("pk", "number")[:AT_A_TIME])
    if chosen:
        return [CommentsVisit(run, repository, dict(chosen), doubted)]
    refuse_doubted(repository.full_name, "comments", doubted)
    place = Place(CommentsVisit.stream, repository.pk)
    coverage = run.book.coverage(place)
    listed = run.book.known(Place("pull_requests", repository.pk))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.watermark = coverage.complete_as_of
    coverage.ended_by, coverage.refusals = run.sync.pk, 0
    run.book.close_gap(place)
    return ()


class CommentsVisit(RepositoryVisit):
    """Lists all comments of some pull requests, one after the other.

    `doubted` are those whose list cannot be true, of this walk and of the ones before.
    """

    stream = "pull_request_comments"

    def __init__(
        self,
        run: Run,
        repository: Repository,
        chosen: dict[int, int],
        doubted: Sequence[int] = (),
    ) -> None:
        super().__init__(run, repository)
        self._doubted = list(doubted)
        self._chosen = chosen
        self._keys = {number: key for key, number in chosen.items()}
        self._listed: set[int] = set()
        self._is_legible = True

    def walk(self, source: Source) -> Walk:
        yield from source.comments(self.repository.uuid, list(self._chosen.values()))

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._listed.update(row.number for row in page.rows if isinstance(row, CommentRow))
        self._is_legible = self._is_legible and page.is_legible
        if page.finished is not None:
            self._finish(page, page.finished)
            self._listed, self._is_legible = set(), True

    def ended(self) -> Sequence[Visit]:
        above = max(self._chosen)
        return _next(self.run, self.repository, above=above, doubted=self._doubted)

    def _finish(self, page: Page, number: int) -> None:
        """The list of one pull request ended: what it lacks is gone."""
        key = self._keys[number]
        if page.is_short or self._lists_nothing(page, key):
            self._doubted.append(number)
            return
        if self._is_legible and not page.is_missing:
            self._remove_others(key)
        PullRequest.objects.filter(pk=key, changed_at__lt=self.begun).update(
            comments_done_for=F("due_for")
        )

    def _lists_nothing(self, page: Page, key: int) -> bool:
        """Whether nothing is listed of a pull request that has comments, by Bitbucket's count."""
        if page.is_missing or self._listed or not self._is_legible:
            return False
        return PullRequest.objects.filter(pk=key, comment_count__gt=0).exists()

    def _remove_others(self, key: int) -> None:
        now = self.run.clock.now()
        kept = Comment.objects.filter(pull_request_id=key, removed_at=None)
        gone = [pk for pk, n in kept.values_list("pk", "number") if n not in self._listed]
        if gone:
            Comment.objects.filter(pk__in=gone).update(removed_at=now, changed_at=now)
            self.counts.removed += len(gone)
