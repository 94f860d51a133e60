"""The lists of single pull requests, one after the other: their comments, their histories."""

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from django.db.models import F, Q, QuerySet

from ingestion.engine.run import Run
from ingestion.engine.visits.base import RepositoryVisit
from ingestion.models import PullRequest, Repository
from ingestion.sources.base import Page
from ingestion.writer.batch import Counts

AT_A_TIME = 50  # pull requests whose lists one walk reads

Identity = TypeVar("Identity", bound=Hashable)


def due(repository: Repository, done_for: str) -> "QuerySet[PullRequest]":
    """Pull requests that changed since their list was read; `done_for` is the column that tells."""
    return PullRequest.objects.filter(
        Q(**{done_for: None}) | ~Q(**{done_for: F("due_for")}),
        repository=repository,
        due_for__isnull=False,
    )


def next_due(repository: Repository, done_for: str, *, above: int) -> dict[int, int]:
    """The next of them, behind the row `above`: their numbers by the keys of their rows."""
    waiting = due(repository, done_for).filter(pk__gt=above).order_by("pk")
    return dict(waiting.values_list("pk", "number")[:AT_A_TIME])


class SinglesVisit(RepositoryVisit, Generic[Identity]):
    """Reads the whole list of each of some pull requests; what it lacks is gone.

    `chosen` are their numbers by the keys of their rows. `doubted` are the numbers of those whose
    list cannot be true, of this walk and of the ones before.
    """

    done_for: ClassVar[str]

    def __init__(
        self,
        run: Run,
        repository: Repository,
        chosen: dict[int, int],
        doubted: Sequence[int] = (),
    ) -> None:
        super().__init__(run, repository)
        self.numbers = list(chosen.values())
        self.last = max(chosen)
        self.doubted = list(doubted)
        self._keys = {number: key for key, number in chosen.items()}
        self._seen: set[Identity] = set()
        self._is_legible = True

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._seen.update(self.identities(page))
        self._is_legible = self._is_legible and page.is_legible
        if page.finished is not None:
            self._finish(page, int(page.finished))
            self._seen, self._is_legible = set(), True

    @abstractmethod
    def identities(self, page: Page) -> Iterable[Identity]:
        """What tells the rows of a page apart."""

    @abstractmethod
    def is_doubtful(self, page: Page, key: int) -> bool:
        """Whether a list that ends with this page, and showed what was seen, cannot be true."""

    @abstractmethod
    def remove_others(self, key: int) -> None:
        """Mark what is here and was not seen."""

    def _finish(self, page: Page, number: int) -> None:
        key = self._keys[number]
        if self.is_doubtful(page, key):
            self.doubted.append(number)
            return
        if self._is_legible and not page.is_missing:
            self.remove_others(key)
        self.run.book.rejections.resolve_details(self.place, str(number), self.begun)
        PullRequest.objects.filter(pk=key, changed_at__lt=self.begun).update(
            **{self.done_for: F("due_for")}
        )
