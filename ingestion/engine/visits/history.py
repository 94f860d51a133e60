"""The history of pull requests one by one, where the feed of their repository is refused."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db.models import QuerySet

from connections.transport.errors import InvalidPermissions, NotFound, ProviderError
from ingestion.engine.run import Run
from ingestion.engine.visits import comments, refused, singles, vanished
from ingestion.engine.visits.base import Visit, refuse_doubted
from ingestion.models import Event, PullRequest, Repository
from ingestion.sources.base import OVERLAP, Page, Source, Walk
from ingestion.sources.rows import CommentRow, EventRow
from ingestion.writer.batch import Place

STREAM = "pull_request_activity"

# Pull request, kind and time: the person may be nobody by now, and the key another.
Identity = tuple[int, str, datetime]
Then = Callable[[], Sequence[Visit]]


def due(repository: Repository) -> "QuerySet[PullRequest]":
    """Pull requests that changed since their history was read."""
    return singles.due(repository, HistoriesVisit.done_for)


def settle(run: Run, repository: Repository) -> Sequence[Visit]:
    """Every history that was due is here; a reading of everything asks for what it did not see."""
    return search(run, repository, partial(end, run, repository))


def search(run: Run, repository: Repository, then: Then) -> Sequence[Visit]:
    """Entries have no address: what was not seen is looked for in the pull request's own history,
    and what lacks it there is withdrawn. So are entries that could not be kept before.
    """

    if refused.of_pull_requests(run, repository, STREAM).update(activity_done_for=None):
        return one_by_one(run, repository, then=partial(search, run, repository, then))

    def ask(missed: "QuerySet[Event]") -> Sequence[Visit]:
        read_again(missed)
        return one_by_one(run, repository, then=then)

    return vanished.search(
        run, repository, STREAM, then, is_whole=run.is_full, begin=run.since, ask=ask
    )


def read_again(missed: "QuerySet[Event]") -> None:
    """The histories are due of which these events were not seen."""
    PullRequest.objects.filter(pk__in=missed.values("pull_request_id")).update(
        activity_done_for=None
    )


def end(run: Run, repository: Repository) -> Sequence[Visit]:
    """The stream ends here, as complete as the pull requests are; what follows are comments."""
    place = Place(STREAM, repository.pk)
    coverage = run.book.coverage(place)
    listed = run.book.known(Place("pull_requests", repository.pk))
    coverage.complete_as_of = listed.complete_as_of if listed else None
    coverage.ended_by = run.sync.pk
    run.book.close_gap(place)
    cover_window(run, place)
    return comments.after_activity(run, repository)


def cover_window(run: Run, place: Place) -> None:
    """Every history of the window is here, even if the feed was not read down to its beginning."""
    if run.lacks_earlier(place):
        coverage = run.book.coverage(place)
        coverage.covered_from = run.since
        walk = (coverage.earlier or {}).get("walk")
        coverage.earlier = {"walk": walk} if walk else None


def withdraw(
    run: Run, stored: "QuerySet[Event]", seen: Collection[Identity], *, begun: datetime
) -> int:
    """Mark the stored events that a whole feed lacks by now, but what was written since its walk
    had begun. Returns how many there are.
    """
    now = run.clock.now()
    columns = stored.filter(withdrawn_at=None, changed_at__lt=begun).values_list(
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
    chosen = singles.next_due(repository, HistoriesVisit.done_for, above=above)
    if chosen:
        return [HistoriesVisit(run, repository, chosen, then, doubted)]
    refuse_doubted(repository.full_name, "entries of history", doubted)
    return then()


class HistoriesVisit(singles.SinglesVisit[Identity]):
    """Reads the whole history of some pull requests; `then` says what comes behind the last."""

    stream = STREAM
    done_for = "activity_done_for"

    def __init__(
        self,
        run: Run,
        repository: Repository,
        chosen: dict[int, int],
        then: Then,
        doubted: Sequence[int] = (),
    ) -> None:
        super().__init__(run, repository, chosen, doubted)
        self._then = then
        self._brings_comments = run.copies(comments.CommentsVisit.stream)

    def walk(self, source: Source) -> Walk:
        for page in source.histories(self.repository.uuid, self.numbers):
            if not self._brings_comments:
                page.rows = [row for row in page.rows if not isinstance(row, CommentRow)]
            yield page

    def identities(self, page: Page) -> Iterable[Identity]:
        events = (row for row in page.rows if isinstance(row, EventRow))
        return ((one.pull_request, one.kind, one.happened_at) for one in events)

    def ended(self) -> Sequence[Visit]:
        return one_by_one(
            self.run, self.repository, then=self._then, above=self.last, doubted=self.doubted
        )

    def is_doubtful(self, page: Page, key: int) -> bool:
        """A history may not end above what is stored of it, nor, behind an empty last page, above
        where its pull request was opened. The opening can never be withdrawn.
        """
        if not page.is_short and (page.is_missing or not self._is_legible):
            return False
        moments = [moment for _, _, moment in self._seen]
        openings = _events_of(key).filter(withdrawn_at=None, kind="update")
        if not moments:
            return page.is_short or openings.exists()
        if openings.filter(happened_at__lt=min(moments)).exists():
            return True
        opened = PullRequest.objects.filter(pk=key, created_on__lt=min(moments) - OVERLAP)
        return page.is_short and opened.exists()

    def remove_others(self, key: int) -> None:
        mine = _events_of(key)
        self.counts.removed += withdraw(self.run, mine, self._seen, begun=self.begun)


def _events_of(key: int) -> "QuerySet[Event]":
    return Event.objects.filter(pull_request_id=key)
