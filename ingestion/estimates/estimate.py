"""How many requests a sync takes, and how long: the first one, and each one of a schedule."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from math import sqrt
from statistics import fmean, variance

from django.conf import settings
from django.utils.timezone import now

from ingestion.engine.rotation import ASKED, period_of
from ingestion.estimates.surveys import Subject, Survey, measures_of
from ingestion.quota import BUCKETS, COUNTED
from ingestion.sources import source_kind
from ingestion.sources.costs import REPOSITORIES, Cost, Plan, Sizes

Count = Callable[[Cost, str], float]  # in one repository; "" is the connection as a whole

FEW = 20  # repositories: of more, a range is told
SPREAD = 2.5  # standard errors to each side: a range that is left in one case of a hundred
OWN_ERROR = 0.1  # of a figure for which every repository was asked
USUAL_SECONDS = 0.05  # for a request, of several that are made side by side


@dataclass(frozen=True, kw_only=True)
class Requests:
    """About so many requests, from `low` to `high`; by stream."""

    by_stream: Mapping[str, float]
    error: float = 0.0  # standard error of the sum, of what was not asked

    @property
    def total(self) -> int:
        return round(sum(self.by_stream.values()))

    @property
    def low(self) -> int:
        return max(0, round(self.total * (1 - OWN_ERROR) - SPREAD * self.error))

    @property
    def high(self) -> int:
        return round(self.total * (1 + OWN_ERROR) + SPREAD * self.error)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What may be asked: `left` now and `limit` in a window, by so many credentials that count."""

    limit: int
    left: int
    credentials: int = 1

    @property
    def scheduled(self) -> float:
        """Requests in an hour for scheduled syncs, which leave a tenth of the quota to people."""
        return max(1, self.limit * 9 // 10) * 3600 / settings.QUOTA_WINDOW


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a first sync takes, and by `again` what one after so many hours does."""

    subject: Subject
    survey: Survey
    allowance: Allowance
    now: datetime = field(default_factory=now)

    @cached_property
    def plan(self) -> Plan:
        return Plan(streams=self.subject.streams, since=self.subject.since, now=self.now)

    @cached_property
    def first(self) -> Requests:
        return self._sum(lambda cost, key: cost.first(self._sizes(key), self.plan))

    def again(self, hours: float) -> Requests:
        """A sync so many hours after the last, in the mean of many. Where not every repository is
        visited in each, quiet ones take turns.
        """
        turn = self.turn(hours)

        def spread(cost: Cost, sizes: Sizes, apart: float) -> float:
            return cost.again(sizes, self.plan, apart) * hours / apart

        def mean(cost: Cost, key: str) -> float:
            sizes = self._sizes(key)
            own = max(hours, self.subject.own_hours.get(cost.stream, hours))
            each = spread(cost, sizes, own)
            if turn is None or not cost.of_repository:
                return each
            moves = self._moves(key)
            return moves * each + (1 - moves) * spread(cost, sizes, max(own, turn))

        return self._sum(mean)

    def turn(self, hours: float) -> float | None:
        """In how many hours each quiet repository is visited once; None where each sync visits
        all.
        """
        asked = len(set(ASKED) & set(self.subject.streams)) * len(self.subject.repositories)
        period = period_of(timedelta(hours=hours), asked, self.allowance.limit)
        return period / timedelta(hours=1) if period else None

    def _moves(self, key: str) -> float:
        """How likely a repository shows signs of change: as those that were asked, in the mean."""
        found = source_kind(self.subject.connector).moves(self._sizes(key))
        return self._moves_mostly if found is None else found

    @cached_property
    def _moves_mostly(self) -> float:
        tell = source_kind(self.subject.connector).moves
        told = [tell(self._sizes(key)) for key in self.subject.repositories]
        known = [one for one in told if one is not None]
        return fmean(known) if known else 1.0

    @property
    def is_range(self) -> bool:
        """Whether there are too many repositories to ask each of them."""
        return len(self.subject.repositories) > FEW

    @property
    def at_once(self) -> int:
        """How many requests of the first sync are left now."""
        return min(self.first.total, self.allowance.left)

    @property
    def hours_at_quota(self) -> float:
        """How many hours of the whole quota the first sync takes."""
        return self.first.total * settings.QUOTA_WINDOW / 3600 / self.allowance.limit

    @property
    def seconds(self) -> float:
        """From now until the first sync is complete: requests, and waits for the quota."""
        each = self.survey.seconds or USUAL_SECONDS
        later = self.first.total - self.at_once
        windows = -(-later // self.allowance.limit)
        window = settings.QUOTA_WINDOW * COUNTED / BUCKETS
        last = later - max(0, windows - 1) * self.allowance.limit
        return windows * window + (last if windows else self.at_once) * each

    @property
    def complete_at(self) -> datetime:
        return self.now + timedelta(seconds=self.seconds)

    def fits(self, hours: float) -> bool:
        """Whether the quota holds a sync every so many hours."""
        return self.again(hours).total <= self.allowance.scheduled * hours

    def _sum(self, requests: Count) -> Requests:
        by_stream, error = dict[str, float](), 0.0
        for cost in source_kind(self.subject.connector).costs:
            if cost.stream not in self.subject.streams:
                continue
            if not cost.of_repository:
                by_stream[cost.stream] = requests(cost, "")
                continue
            asked = self._asked(cost.stream)
            known = [requests(cost, key) for key in asked]
            others = len(self.subject.repositories) - len(known)
            by_stream[cost.stream] = sum(known) + (others * fmean(known) if known else 0)
            if others and len(known) > 1:
                error += others * sqrt(variance(known) * (1 / len(known) + 1 / others))
        return Requests(by_stream=by_stream, error=error)

    def _asked(self, stream: str) -> list[str]:
        """The repositories where all was measured that this stream depends on."""
        measures = [
            one
            for one in measures_of(self.subject)
            if stream in one.streams and one.of_repository and not one.is_shared
        ]
        return [
            key
            for key in self.subject.repositories
            if all(self.survey.has(one.name, key) for one in measures)
        ]

    def _sizes(self, repository: str) -> Sizes:
        """What was measured of a repository, or of the connection, with what holds for all."""
        found = defaultdict[str, float](float)
        for one in measures_of(self.subject):
            taken = self.survey.taken.get(one.name, {})
            if one.is_shared:
                for sizes in taken.values():
                    for name, size in sizes.items():
                        found[name] += size
            elif one.of_repository == bool(repository):
                found.update(taken.get(repository, {}))
        if self.subject.listed is not None:
            found[REPOSITORIES] = self.subject.listed
        return found
