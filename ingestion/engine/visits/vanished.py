"""What a reading of everything did not see: it is asked for one by one, and only what is refused is
marked as gone. Where more than a fifth would go, a person is asked first.

The rows themselves say how far this came: what is there is marked as seen, what is gone as removed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet

from connections.transport.errors import ProviderError
from ingestion.engine.run import Run
from ingestion.engine.visits import refused
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.engine.visits.repositories import FEW, MOST_GONE
from ingestion.models import (
    Comment,
    Commit,
    Coverage,
    Deployment,
    Event,
    PipelineRun,
    PullRequest,
    Record,
    Repository,
    State,
)
from ingestion.sources.base import Key, Page, Source, Walk
from ingestion.writer.batch import Counts, Place

AT_A_TIME = 50  # records that one walk asks for

Then = Callable[[], Sequence[Visit]]
Ask = Callable[["QuerySet[Any]"], Sequence[Visit]]


LIVE = Q(removed_at=None)
OF_LIVE = LIVE & Q(pull_request__removed_at=None)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The records of a stream: by which columns a source asks for one, by which the history window
    is told, and what is not looked for."""

    model: type[Record]
    what: str
    key: tuple[str, ...]
    moment: str
    live: Q = LIVE
    is_detail: bool = False  # of a pull request: looked for only where that was seen

    def kept(self, repository: Repository, begin: datetime | None) -> "QuerySet[Any]":
        """What is here of a window that begins then."""
        inside = {f"{self.moment}__gte": begin} if begin else {}
        among = {"repository": repository, **inside}
        return self.model._default_manager.filter(self.live, **among)


KINDS = {
    "pull_requests": Kind(
        model=PullRequest, what="pull requests", key=("number",), moment="updated_on"
    ),
    "pull_request_activity": Kind(
        model=Event,
        what="entries of history",
        key=("pk",),
        moment="happened_at",
        live=OF_LIVE & Q(withdrawn_at=None),
        is_detail=True,
    ),
    "pull_request_comments": Kind(
        model=Comment,
        what="comments",
        key=("pull_request__number", "number"),
        moment="created_on",
        live=OF_LIVE & Q(is_deleted=False),
        is_detail=True,
    ),
    "pipelines": Kind(model=PipelineRun, what="pipelines", key=("uuid",), moment="created_on"),
    "deployments": Kind(model=Deployment, what="deployments", key=("uuid",), moment="updated_on"),
    "commits": Kind(model=Commit, what="commits", key=("hash",), moment="committed_on"),
}


def is_pending(run: Run, place: Place) -> bool:
    """Whether this reading came to the end of its walk here, and something is still to be asked."""
    known = run.book.known(place)
    return known is not None and (known.missing or {}).get("sync") == run.reading


def unseen(run: Run, repository: Repository, stream: str) -> "QuerySet[Any]":
    """What this reading of everything has not seen of a stream."""
    began = {"sync": run.reading, "begun": run.reading_begun.isoformat()}
    return _unseen(repository, stream, began, run.since)


def search(
    run: Run,
    repository: Repository,
    stream: str,
    then: Then,
    *,
    is_whole: bool,
    begin: datetime | None = None,
    begun: datetime | None = None,
    ask: Ask | None = None,
) -> Sequence[Visit]:
    """What follows the end of a stream: what was not seen is asked for, and what could not be
    kept before; `then` comes behind it.

    `is_whole` says that all from `begin` on was read, since `begun`. `ask` asks for these rows in
    another way.
    """
    then = partial(refused.ask_again, run, repository, stream, then)
    coverage = run.book.coverage(Place(stream, repository.pk))
    if coverage.missing and coverage.pk:  # a person may have answered meanwhile
        mine = Coverage.objects.filter(pk=coverage.pk)
        coverage.missing = mine.values_list("missing", flat=True).first()
    if is_whole and not is_pending(run, Place(stream, repository.pk)):
        began = {"sync": run.reading, "begun": (begun or run.reading_begun).isoformat()}
        _note(coverage, _missing(repository, stream, began, begin, coverage.missing))
    if ask and coverage.missing and coverage.missing["confirmed"] is not False:
        rows = _rows(repository, stream, coverage.missing)
        _note(coverage, None)
        return ask(rows)
    return _next(run, repository, stream, then)


def _missing(
    repository: Repository,
    stream: str,
    began: dict[str, Any],
    begin: datetime | None,
    before: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """What is kept of what was not seen. `before` is what a person may have confirmed already."""
    found = _unseen(repository, stream, began, begin)
    count = fresh = found.count()
    if not count:
        return None
    confirmed = True if before and before["confirmed"] else None
    if before and confirmed:
        known = Q(seen_by=before["sync"]) | Q(changed_at__gte=before["begun"])
        fresh = found.filter(known).count()
    kept = KINDS[stream].kept(repository, begin).count()
    gap = None
    if fresh > max(FEW, MOST_GONE * kept):
        confirmed, gap = False, many_gone(repository, stream, count, kept)
    window = begin.isoformat() if begin else None
    return {**began, "window": window, "count": count, "confirmed": confirmed, "gap": gap}


def _unseen(
    repository: Repository, stream: str, began: dict[str, Any], begin: datetime | None
) -> "QuerySet[Any]":
    kind, sync, begun = KINDS[stream], began["sync"], began["begun"]
    found = kind.kept(repository, begin).filter(~Q(seen_by=sync), changed_at__lt=begun)
    if kind.is_detail:
        there = Q(pull_request__seen_by=sync) | Q(pull_request__changed_at__gte=begun)
        found = found.filter(there)
    return found


def _rows(repository: Repository, stream: str, missing: dict[str, Any]) -> "QuerySet[Any]":
    """What is still missing of what was."""
    begin = datetime.fromisoformat(missing["window"]) if missing["window"] else None
    return _unseen(repository, stream, missing, begin)


def _next(run: Run, repository: Repository, stream: str, then: Then) -> Sequence[Visit]:
    coverage = run.book.coverage(Place(stream, repository.pk))
    missing = coverage.missing
    if missing and missing["confirmed"] is not False:
        rows = _rows(repository, stream, missing).order_by("pk")
        columns = rows.values_list("pk", *KINDS[stream].key)[:AT_A_TIME]
        chosen = {row[1] if len(row) == 2 else row[1:]: row[0] for row in columns}
        if chosen:
            return [VanishedVisit(run, repository, stream, chosen, then)]
        _note(coverage, None)
    return then()


def _note(coverage: Coverage, missing: dict[str, Any] | None) -> None:
    """Keep what is missing: beside the book, which would write over what a person answers."""
    if coverage.missing != missing:
        coverage.missing = missing
        Coverage.objects.filter(pk=coverage.pk).update(missing=missing)


def many_gone(repository: Repository, stream: str, count: int, kept: int) -> dict[str, Any]:
    """The gap where so many were not seen that a person is asked whether it is true."""
    return {
        "code": "many_gone",
        "message": f"{count:,} of {kept:,} {KINDS[stream].what} of {repository.full_name} are not"
        " listed any more. That is more than a fifth, so nothing was marked as gone.",
        "retryable": False,
        "mended_by": "admin",
    }


class VanishedVisit(RepositoryVisit):
    """Asks for some records by themselves. `chosen` are the keys of their rows by Bitbucket's."""

    def __init__(
        self, run: Run, repository: Repository, stream: str, chosen: dict[Any, int], then: Then
    ) -> None:
        self.stream = stream
        super().__init__(run, repository)
        self._chosen = chosen
        self._then = then
        self._missing: dict[str, Any] = self.coverage.missing or {}

    def walk(self, source: Source) -> Walk:
        keys: list[Key] = list(self._chosen)
        yield from source.probe(self.stream, self.repository.uuid, keys)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        rows = KINDS[self.stream].model._default_manager
        there, gone = ([self._chosen[key] for key in keys] for keys in (page.there, page.gone))
        if there:
            rows.filter(pk__in=there).update(seen_by=self._missing["sync"])
        if gone:
            now = self.run.clock.now()
            lost = rows.filter(pk__in=gone, changed_at__lt=self._missing["begun"])
            self.counts.removed += lost.update(removed_at=now, changed_at=now)

    def ended(self) -> Sequence[Visit]:
        return _next(self.run, self.repository, self.stream, self._then)

    def left(self, error: ProviderError) -> Sequence[Visit]:
        """They could not be asked for: a gap, until they are. Everything else goes on."""
        told = error.as_dict()
        _note(self.coverage, {**self._missing, "gap": told})
        row = self.run.book.run(self.place)
        row.state, row.error, row.finished_at = State.FAILED, told, self.run.clock.now()
        return self._then()
