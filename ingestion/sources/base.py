"""The contract of a source: how a provider's streams are walked, page by page.

A source holds no row and knows no table. Its walks are generators that run in threads of the
engine; each page carries the checkpoint from which the walk can go on once its rows are written.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connections.transport.errors import UnexpectedResponse
from ingestion.sources.costs import Cost, Measure, Sizes
from ingestion.sources.hints import Hint
from ingestion.sources.rows import RejectedRecord, Row

MARGIN = timedelta(minutes=10)  # how far a watermark stays behind the provider's clock
OVERLAP = timedelta(hours=1)  # how far a feed, which is not in strict order, is read again

Checkpoint = dict[str, Any]
Key = int | str | tuple[int, int]  # by which a source asks for one record; a comment: two numbers


@dataclass(slots=True, kw_only=True)
class Page:
    """Rows of one answer.

    `as_of` is the provider's clock at the walk's first answer; `expected` how many rows the
    listing says that it has, on its first page; `finished` names the pull request, or the run,
    whose whole list ends with this page; `wants_verdict` asks whether any row differed from the
    stored one, before the walk goes on: see `Verdict`. `reached` is the oldest moment that a page
    of a feed shows, and `beyond` stands where a walk into earlier history would go on. `gone` are
    records that are not there any more, of commits those to which no tip leads; `there` are those
    of a probe that are; `older` are commits that lie before the history window. Of heads at which
    no branch stands any more `lost` are those from which nothing was dropped, by an answer that may
    be wrong, and `forgotten` those that are unknown.
    """

    rows: Sequence[Row]
    checkpoint: Checkpoint | None = None
    as_of: datetime | None = None
    expected: int | None = None
    finished: int | str | None = None
    is_missing: bool = False  # the finished one was not there: its old rows stay
    is_short: bool = False  # the finished one's list seems to end before its end
    shortage: "ShortListing | None" = None  # no more will come, and what the listing lacks stays
    wants_verdict: bool = False
    reached: datetime | None = None
    beyond: Checkpoint | None = None
    heads: Sequence[str] | None = None  # the tips up to which the walk reads commits
    gone: Sequence[Key] = ()
    there: Sequence[Key] = ()
    older: Sequence[str] = ()
    lost: Sequence[str] | None = None
    forgotten: Sequence[str] = ()

    @property
    def is_legible(self) -> bool:
        """Whether every record could be read: else what the list lacks may stand in it."""
        return not any(isinstance(row, RejectedRecord) for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Where a walk begins: at a checkpoint, else at the watermark, else at the beginning.

    `until` bounds a walk into earlier history: what is younger is here. So many records are, as
    `behind` says, and a listing that shows the newest first may be entered below them.
    """

    watermark: datetime | None = None
    checkpoint: Checkpoint | None = None
    look_back_to: datetime | None = None  # read on to this moment, even where nothing differs
    not_before: datetime | None = None  # the history window: nothing older is asked for
    heads: Sequence[str] = ()  # the tips up to which commits were read before
    were: Sequence[str] = ()  # tips of before, that may have led to what no branch leads to now
    known: int | None = None  # a record that is there, so that an empty answer cannot be true
    until: datetime | None = None
    behind: int = 0

    @property
    def floor(self) -> datetime | None:
        """How far down a feed is read; None for to its end."""
        begin = self.watermark or self.not_before
        return begin - OVERLAP if begin else None

    def is_before(self, moment: datetime) -> bool:
        """Whether a moment lies before the history window, and was not covered either."""
        if self.not_before is None:
            return False
        return moment < min(self.not_before, self.watermark or self.not_before)


# Yields pages; is sent whether a page that wants a verdict differed, None otherwise.
Walk = Generator[Page, bool | None, None]


class Source(ABC):
    """A provider as the engine sees it. `repository` is the provider's own id."""

    streams: ClassVar[tuple[str, ...]]
    counted: ClassVar[tuple[str, ...]] = ()  # streams that `count` knows
    measures: ClassVar[tuple[Measure, ...]] = ()  # by which costs are estimated
    costs: ClassVar[tuple[Cost, ...]] = ()

    @staticmethod
    def moves(sizes: Sizes) -> float | None:
        """How likely it is that a repository of these sizes shows signs of change, by which a sync
        of a large workspace visits it. None where nothing was measured that tells.
        """
        return None

    @staticmethod
    def hint(event: str, body: dict[str, Any]) -> Hint | None:
        """What a webhook with this event and body tells of; None where that is nothing to read."""
        return None

    @abstractmethod
    def repositories(self) -> Walk:
        """All repositories of the connection, from the beginning."""

    @abstractmethod
    def people(self) -> Walk:
        """All members, from the beginning."""

    @abstractmethod
    def pull_requests(self, repository: str, since: Since) -> Walk:
        """Pull requests in the order of their last change."""

    @abstractmethod
    def open_pull_requests(self, repository: str, since: datetime | None = None) -> Walk:
        """Open pull requests that changed since then, with their participants."""

    @abstractmethod
    def activity(self, repository: str, since: Since) -> Walk:
        """The feed of a repository's pull requests, newest first, down to the watermark."""

    @abstractmethod
    def histories(self, repository: str, pull_requests: Sequence[int]) -> Walk:
        """The whole feed of each of these pull requests, one after the other."""

    @abstractmethod
    def comments(self, repository: str, pull_requests: Sequence[int]) -> Walk:
        """The whole list of comments of each of these pull requests, one after the other."""

    @abstractmethod
    def pipelines(self, repository: str, since: Since) -> Walk:
        """Runs of pipelines, newest first."""

    @abstractmethod
    def pipeline_runs(self, repository: str, runs: Sequence[str]) -> Walk:
        """Each of these runs, one after the other; none of one that is gone."""

    @abstractmethod
    def steps(self, repository: str, runs: Sequence[str]) -> Walk:
        """The whole list of steps of each of these runs, one after the other."""

    @abstractmethod
    def deployments(self, repository: str) -> Walk:
        """All deployments, from the beginning."""

    @abstractmethod
    def commits(self, repository: str, since: Since) -> Walk:
        """Commits that are new since the heads, then those that were dropped."""

    @abstractmethod
    def newest_commits(
        self, repository: str, hashes: Sequence[str], not_before: datetime | None
    ) -> Walk:
        """The newest of these commits and of what they lead to, as far as they lie in the history
        window: one page.
        """

    @abstractmethod
    def probe(self, stream: str, repository: str, keys: Sequence[Key]) -> Walk:
        """Asks for each of these records by itself: which are there, with their rows, and which
        are gone. Raises the refusal where not even their list is shown.
        """

    @abstractmethod
    def records(self, stream: str, repository: str, keys: Sequence[Key]) -> Walk:
        """As `probe`, and always with the rows: of commits also, which it tells nothing else of.
        Of repositories it asks for the one that is named, without a list beside it.
        """

    @abstractmethod
    def is_gone(self, repository: str) -> bool:
        """Whether the provider, asked for this one repository, does not show it."""

    def count(
        self, stream: str, repository: str, *, until: datetime, not_before: datetime | None
    ) -> "Count | None":
        """How many records the provider has that were created until a moment; of those alone that
        changed since `not_before`. `repository` is empty for what belongs to none. None where it
        does not tell.
        """
        return None

    def measure(
        self, name: str, repository: str, since: datetime | None, notes: dict[str, Any]
    ) -> Sizes:
        """Take one of the measures, with as many requests as it says at most.

        `notes` are what the measures of one repository, taken one after the other, tell each other.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many records a provider has; by their keys where its list cannot be narrowed to those
    that were there at a moment.
    """

    total: int
    keys: frozenset[str] | None = None


class ShortListing(UnexpectedResponse):
    """A listing ended before its end: fewer records came than there are, and some may be missing.

    Asked again a little later it may be whole; a listing that shrank while it was read is.
    """

    def __init__(self, what: str, listed: int, told: int) -> None:
        super().__init__(
            f"Bitbucket's list of {what} ended after {listed:,} of {told:,}. What came is kept."
        )


@dataclass(slots=True)
class NewPages:
    """Refuses a page that adds nothing to its walk, so that no listing is followed for ever."""

    what: str
    seen: set[int] = field(default_factory=set)

    def check(self, identities: Sequence[object]) -> None:
        """Note a page by what tells its rows apart. Raises UnexpectedResponse for a repetition."""
        if not identities:
            return
        mark = hash(repr(identities))  # foreign values, of any shape
        if mark in self.seen:
            raise UnexpectedResponse(
                f"Bitbucket's list of {self.what} repeats itself and has no end."
            )
        self.seen.add(mark)
