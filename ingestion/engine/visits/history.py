"""The history of pull requests one by one, where the feed of their repository is refused."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

from django.db.models import F, Q, QuerySet

from connections.transport.errors import InvalidPermissions, NotFound, ProviderError
from ingestion.engine.run import Run
from ingestion.engine.visits import comments
from ingestion.engine.visits.base import RepositoryVisit, Visit, refuse_doubted
from ingestion.models import Event, PullRequest, Repository
from ingestion.sources.base import OVERLAP, Page, Source, Walk
from ingestion.sources.rows import CommentRow, EventRow
from ingestion.writer.batch import Counts, Place

STREAM = "pull_request_activity"
AT_A_TIME = 50  # pull requests whose histories one walk reads

# Pull request, kind and time: the person may be nobody by now, and the key another.
Identity = tuple[int, str, datetime]
Then = Callable[[], Sequence[Visit]]


def due(repository: Repository) -> "QuerySet[PullRequest]":
    """Pull requests that changed since their history was read."""
    return PullRequest.objects.filter(
        Q(activity_done_for=None) | ~Q(activity_done_for=F("due_for")),
        repository=repository,
        due_for__isnull=False,
    )


def settle(run: Run, repository: Repository) -> Sequence[Visit]:
    """The stream ends here, as complete as the pull requests are; what follows are comments."""
    place = Place(STREAM, repository.pk)
    coverage = run.book.coverage(place)
    listed = run.book.known(Place("pull_requests", repository.pk))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.ended_by = run.sync.pk
    run.book.close_gap(place)
    return comments.after_activity(run, repository)


def withdraw(run: Run, stored: "QuerySet[Event]", seen: Collection[Identity]) -> int:
    """Mark the stored events that a whole feed lacks by now. Returns how many there are."""
    now = run.clock.now()
    columns = stored.filter(withdrawn_at=None).values_list(
        "pk", "pull_request__number", "kind", "happened_at"
    )
    gone = [key for key, *identity in columns if tuple(identity) not in seen]
    if gone:
        Event.objects.filter(pk__in=gone).update(withdrawn_at=now, changed_at=now)
    return len(gone)


def refuses_feed(error: ProviderError) -> bool:
    """Whether the feed is not shown, to a secret that has the scope for it."""
    if isinstance(error, InvalidPermissions):
        return not error.missing_scopes
    return isinstance(error, NotFound)


def note_refusal(run: Run, repository: Repository) -> None:
    """The feed is asked for again in a day; a full sync reads every history anew."""
    coverage = run.book.coverage(Place(STREAM, repository.pk))
    coverage.asked_at, coverage.checkpoint = run.clock.now(), None
    if run.is_full:
        PullRequest.objects.filter(repository=repository).update(activity_done_for=None)


def is_feed_refused(run: Run, place: Place) -> bool:
    """Whether the feed was refused today; a full sync asks for itself."""
    known = run.book.known(place)
    if known is None or known.asked_at is None:
        return False
    if run.is_full and known.asked_at < run.sync.created_at:
        return False
    return not run.is_due_daily(known.asked_at)


def one_by_one(
    run: Run,
    repository: Repository,
    *,
    then: Then | None = None,
    above: int = 0,
    doubted: Sequence[int] = (),
) -> Sequence[Visit]:
    """The next histories that are due; where there are none, what comes then: the stream ends."""
    then = then or partial(settle, run, repository)
    waiting = due(repository).filter(pk__gt=above).order_by("pk")
    chosen = list(waiting.values_list("pk", "number")[:AT_A_TIME])
    if chosen:
        return [HistoriesVisit(run, repository, dict(chosen), then, doubted)]
    refuse_doubted(repository.full_name, "entries of history", doubted)
    return then()


class HistoriesVisit(RepositoryVisit):
    """Reads the whole history of some pull requests, one after the other.

    `doubted` are those whose history cannot be true, of this walk and of the ones before.
    """

    stream = STREAM

    def __init__(
        self,
        run: Run,
        repository: Repository,
        chosen: dict[int, int],
        then: Then,
        doubted: Sequence[int] = (),
    ) -> None:
        super().__init__(run, repository)
        self._then = then
        self._doubted = list(doubted)
        self._chosen = chosen
        self._keys = {number: key for key, number in chosen.items()}
        self._seen: set[Identity] = set()
        self._is_legible = True
        self._brings_comments = run.copies(comments.CommentsVisit.stream)

    def walk(self, source: Source) -> Walk:
        for page in source.histories(self.repository.uuid, list(self._chosen.values())):
            if not self._brings_comments:
                page.rows = [row for row in page.rows if not isinstance(row, CommentRow)]
            yield page

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        events = (row for row in page.rows if isinstance(row, EventRow))
        self._seen.update((one.pull_request, one.kind, one.happened_at) for one in events)
        self._is_legible = self._is_legible and page.is_legible
        if page.finished is not None:
            self._finish(page, page.finished)
            self._seen, self._is_legible = set(), True

    def ended(self) -> Sequence[Visit]:
        return one_by_one(
            self.run,
            self.repository,
            then=self._then,
            above=max(self._chosen),
            doubted=self._doubted,
        )

    def _finish(self, page: Page, number: int) -> None:
        """The history of one pull request ended: what it lacks was withdrawn."""
        key = self._keys[number]
        stored = Event.objects.filter(pull_request_id=key)
        is_whole = self._is_legible and not page.is_missing
        if (is_whole or page.is_short) and self._ends_early(key, stored, is_short=page.is_short):
            self._doubted.append(number)
            return
        if is_whole:
            self.counts.removed += withdraw(self.run, stored, self._seen)
        PullRequest.objects.filter(pk=key, changed_at__lt=self.begun).update(
            activity_done_for=F("due_for")
        )

    def _ends_early(self, key: int, stored: "QuerySet[Event]", *, is_short: bool) -> bool:
        """Whether the history ends above what is stored of it, or, behind an empty last page, above
        where its pull request was opened. The opening can never be withdrawn.
        """
        moments = [moment for _, _, moment in self._seen]
        openings = stored.filter(withdrawn_at=None, kind="update")
        if not moments:
            return is_short or openings.exists()
        if openings.filter(happened_at__lt=min(moments)).exists():
            return True
        opened = PullRequest.objects.filter(pk=key, created_on__lt=min(moments) - OVERLAP)
        return is_short and opened.exists()
