"""Records that could not be kept: each is asked for by itself once a day, until it can.

An incremental walk would not bring them again, as nothing changed in them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from ingestion.engine.rejections import NUMBER, address
from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.models import PullRequest, Repository
from ingestion.sources.base import Key, Page, Source, Walk
from ingestion.writer.batch import Counts, Place

AT_A_TIME = 50  # records that one sync asks for

Then = Callable[[], Sequence[Visit]]


def ask_again(run: Run, repository: Repository, stream: str, then: Then) -> Sequence[Visit]:
    """Ask for what could not be kept of a stream, if its day is over; `then` comes behind it."""
    place = Place(stream, repository.pk)
    keys = [address(stream, key) for key in _due(run, place)]
    chosen = [key for key in keys if key is not None][:AT_A_TIME]
    return [RefusedVisit(run, repository, stream, chosen, then)] if chosen else then()


def details_due(run: Run, repository: Repository, stream: str) -> Sequence[str]:
    """The pull requests, or runs, of which details could not be kept: their lists are due again."""
    parents = {one.parent for one in _due(run, Place(stream, repository.pk)).values()}
    return sorted(parents - {""})[:AT_A_TIME]


def of_pull_requests(run: Run, repository: Repository, stream: str) -> "QuerySet[PullRequest]":
    """As `details_due`, as the pull requests that are here."""
    numbers = [n for n in details_due(run, repository, stream) if NUMBER.fullmatch(n)]
    return PullRequest.objects.filter(repository=repository, number__in=numbers)


def _due(run: Run, place: Place) -> dict[str, Any]:
    """What is asked for again at a place: once in a slice, or what fails would come round."""
    if place in run.asked_again:
        return {}
    run.asked_again.add(place)
    return run.book.rejections.due(place, run.clock.now())


class RefusedVisit(RepositoryVisit):
    """Asks for some records. What is not there any more is not missing either."""

    def __init__(
        self, run: Run, repository: Repository, stream: str, keys: Sequence[Key], then: Then
    ) -> None:
        self.stream = stream
        super().__init__(run, repository)
        self._keys = keys
        self.then = then

    def walk(self, source: Source) -> Walk:
        yield from source.records(self.stream, self.repository.uuid, self._keys)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        keys = [str(key) for key in (*page.there, *page.gone)]
        self.run.book.rejections.resolve(self.place, keys, self.begun)

    def ended(self) -> Sequence[Visit]:
        return self.then()
