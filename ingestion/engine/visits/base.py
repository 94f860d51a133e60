"""A visit: one walk of one stream, of a repository or of the whole connection."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from connections.transport.errors import ProviderError
from ingestion.engine.pool import About
from ingestion.engine.run import Run
from ingestion.models import Coverage, Repository
from ingestion.sources.base import MARGIN, Page, Since, Source, Walk
from ingestion.writer.batch import Counts, Place


class NothingListed(ProviderError):
    """A listing that had rows has none now. That is no proof that they are gone."""

    code = "no_resources"
    mended_by = "workspace_admin"


def nothing_listed(name: str, before: int, what: str) -> NothingListed:
    """The error of a listing that had so many rows before."""
    return NothingListed(
        f"{name} listed {before:,} {what} before and lists none now. What was read is kept."
    )


def refuse_doubted(name: str, what: str, pull_requests: Collection[int]) -> None:
    """Raise NothingListed for lists of pull requests that cannot be true; what they lack stays."""
    if pull_requests:
        named = ", ".join(f"#{number}" for number in sorted(pull_requests)[:3])
        raise NothingListed(
            f"{name}: Bitbucket lists too few {what} of {len(pull_requests):,} pull requests"
            f" ({named}). What was read is kept, and they are asked for again."
        )


class Visit(ABC):
    """Made, begun, told of its pages and ended in the writing thread; walked in a fetching one.

    Many are made together and wait for their turn, which `begin` opens. `arrived` and `ended` are
    called inside the transaction that writes the rows.
    """

    stream: str

    def __init__(self, run: Run) -> None:
        self.run = run
        self.begun = run.clock.now()
        self.counts = Counts()
        self.as_of: datetime | None = None
        self.shortage: ProviderError | None = None  # the listing lacks some, for good
        self.covers_from: datetime | None = None  # where a walk from the beginning begins
        self.is_anew = False  # reads its whole list, for what was refused and nothing else brings

    @property
    def place(self) -> Place:
        return Place(self.stream, None)

    @property
    def name(self) -> str:
        """What is visited, as people know it."""
        return self.run.connection.name

    @property
    def about(self) -> About:
        """What is asked for, by which the credential is chosen."""
        return About(self.stream)

    @property
    def coverage(self) -> Coverage:
        return self.run.book.coverage(self.place)

    def begin(self) -> None:
        """Look up what the walk needs."""
        return

    @abstractmethod
    def walk(self, source: Source) -> Walk:
        """The pages, in a fetching thread."""

    def arrived(self, page: Page, counts: Counts) -> None:
        """A page was written. `counts` are those of this stream and repository in the batch."""
        self.as_of = self.as_of or page.as_of
        self.shortage = self.shortage or page.shortage
        if page.expected is not None:
            self.run.book.expect(self.stream, page.expected)
        self.counts.add(counts)

    def keep(self, walk: dict[str, Any] | None) -> None:
        """Save where the walk goes on after a stop."""
        kept = {
            "sync": self.run.reading,
            "begun": self.begun.isoformat(),
            "read": self.counts.read,
            "covers_from": self.covers_from.isoformat() if self.covers_from else None,
            "is_anew": self.is_anew,
            "walk": walk,
        }
        self.coverage.checkpoint = kept if walk else None

    def ended(self) -> Sequence["Visit"]:
        """The walk came to its end. Returns what follows."""
        self.complete(self.as_of)
        return ()

    def reach(self, as_of: datetime | None) -> None:
        """Everything up to `as_of`, less a margin, is here."""
        coverage = self.coverage
        if as_of is not None:
            coverage.watermark = coverage.complete_as_of = as_of - MARGIN
        coverage.checkpoint = None
        if self.is_anew:  # what was refused again is noted as of now
            rejections = self.run.book.rejections
            rejections.resolve(self.place, rejections.nameless(self.place), self.begun)

    def complete(self, as_of: datetime | None) -> None:
        """As `reach`, and this sync is at its end here."""
        self.reach(as_of)
        self.coverage.refusals = 0
        self.coverage.ended_by = self.run.sync.pk
        self.run.book.close_gap(self.place)
        if self.shortage:
            self.coverage.gap = self.shortage.as_dict()

    def doubt_nothing(self) -> None:
        """An empty listing proves nothing: it is asked from its beginning again the next time."""
        if self.counts.read == 0:
            self.coverage.watermark = None

    def refuse_nothing(self, what: str) -> None:
        """Raise NothingListed where a whole listing is empty that had rows before."""
        before = self.coverage.rows
        if self.counts.read == 0 and before:
            raise nothing_listed(self.name, before, what)
        self.coverage.rows = self.counts.read


class RepositoryVisit(Visit):
    """A visit to one repository. `is_earlier` says that its walk began before this sync; `is_rest`
    that it reads what is new since one that did, so that everything is not read once more.

    A walk that shows the newest first may go on further down than it was to go when it began.
    """

    is_newest_first: ClassVar[bool] = False

    def __init__(self, run: Run, repository: Repository, *, is_rest: bool = False) -> None:
        super().__init__(run)
        self.repository = repository
        self.is_earlier = False
        self.is_rest = is_rest

    @property
    def place(self) -> Place:
        return Place(self.stream, self.repository.pk)

    @property
    def name(self) -> str:
        return self.repository.full_name

    @property
    def about(self) -> About:
        return About(self.stream, self.repository.uuid)

    def resume(self, watermark: datetime | None) -> Since:
        """Where the walk begins: where it stood, else at the watermark, unless all is read."""
        stopped = self.run.unfinished(self.place)
        self.covers_from = self.run.since
        if stopped:
            if not self.is_newest_first:
                self.covers_from = stopped.covers_from
            self.begun, self.counts.read = stopped.begun, stopped.read
            self.is_anew = stopped.is_anew
            self.is_earlier = self.begun < self.run.sync.created_at
            self.as_of = datetime.fromisoformat(stopped.checkpoint["as_of"])
        else:
            self.is_anew = self.run.book.rejections.is_list_due(self.place, self.begun)
        is_whole = (self.run.is_full and not self.is_rest) or self.is_anew
        return Since(
            watermark=None if is_whole else watermark,
            checkpoint=stopped.checkpoint if stopped else None,
            not_before=self.covers_from,
        )

    def search(self) -> Sequence[Visit]:
        """Go on where an earlier slice stopped behind the walk: with what it did not see."""
        raise NotImplementedError

    def cover(self) -> None:
        """A walk from the beginning came to its end. What was covered before it stays so, unless
        there is a gap between.
        """
        coverage, begin = self.coverage, self.covers_from
        goes_on = coverage.watermark and (begin is None or begin <= coverage.watermark)
        if not goes_on:
            coverage.covered_from = begin
        elif begin is None or coverage.covered_from is None:
            coverage.covered_from = None
        else:
            coverage.covered_from = min(begin, coverage.covered_from)
        coverage.earlier = None
