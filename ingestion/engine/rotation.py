"""Which repositories a sync of a large workspace visits: those with signs of change, deliveries of
webhooks first, and of the others those whose turn has come.

Signs decide who is first, never who is left out: whether a repository's `updated_on` moves with its
pull requests is told in contradictory ways, https://github.com/constructorfabric/insight/issues/2011
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from ingestion.engine.run import ONCE_A_DAY, Run
from ingestion.models import COMPARISON, Coverage, Delivery, PullRequest, Repository
from ingestion.selectors.connections import quota_of
from ingestion.selectors.freshness import interval_of
from ingestion.writer.batch import Place

# Streams for which each repository is asked at least once in a sync that visits it.
ASKED = ("pull_requests", "pipelines", "commits")
LARGE = 5  # a pass that costs over a fifth of the quota of an hour
RECENTLY = timedelta(days=7)
GOLDEN = 0.618033988749895  # spreads turns evenly, however many there are
TOLD, MOVED, ACTIVE, QUIET = range(4)


def to_visit(
    run: Run, repositories: Mapping[int, Repository]
) -> tuple[dict[int, Repository], bool]:
    """The repositories that this sync visits, in order, and whether others wait for their turn.

    The answer stays the same in all slices of a sync, but for repositories that change meanwhile.
    """
    asked = [stream for stream in ASKED if run.copies(stream)]
    apart = interval_of(run.connection)
    if run.is_full or COMPARISON in run.sync.streams or apart >= ONCE_A_DAY:
        return dict(repositories), False
    period = period_of(apart, len(repositories) * len(asked), _limit(run))
    if period is None:
        return dict(repositories), False
    signs = Signs(run, asked)
    due = sorted(
        (one for one in repositories.values() if signs.is_due(one, period)),
        key=signs.rank,
    )
    return {one.pk: one for one in due}, len(due) < len(repositories)


def period_of(interval: timedelta, requests: int, limit: int) -> timedelta | None:
    """In what time each quiet repository has a turn, with syncs so far apart. None where each sync
    visits all: it costs so many `requests`, of as many as the quota's `limit`.
    """
    period = ONCE_A_DAY - interval
    return period if period > timedelta(0) and requests * LARGE > limit else None


def _limit(run: Run) -> int:
    left = quota_of(run.connection)
    return left.limit if left else settings.QUOTA_LIMIT


def has_turn(key: int, visited: datetime, now: datetime, period: timedelta) -> bool:
    """Whether a turn of this key lies between two moments. Each has one in every period, and of
    many keys about as many have one in any hour.
    """
    phase, length = key * GOLDEN % 1, period.total_seconds()
    return int(visited.timestamp() / length + phase) < int(now.timestamp() / length + phase)


def _told(run: Run) -> dict[str, datetime]:
    """When webhooks last told of each repository, by its uuid. Of a connection beneath another one
    that one's deliveries tell as well.
    """
    mine = Delivery.objects.filter(connection_id__in=(run.connection.pk, run.connection.home_id))
    recent = mine.filter(received_at__gte=run.sync.created_at - RECENTLY).exclude(
        repository_uuid=""
    )
    found = recent.order_by().values_list("repository_uuid").annotate(at=Max("received_at"))
    return dict(found)


class Signs:
    """What speaks for a visit: looked up once, for all repositories of a connection."""

    def __init__(self, run: Run, streams: Iterable[str]) -> None:
        self._run = run
        self._streams = tuple(streams)
        pull_requests = PullRequest.objects.filter(connection_id=run.connection.home_id)
        self._open = set(
            pull_requests.filter(state=PullRequest.State.OPEN).values_list("repository", flat=True)
        )
        recent = pull_requests.filter(updated_on__gte=run.sync.created_at - RECENTLY)
        self._active = self._open | set(recent.values_list("repository", flat=True))
        self._told = _told(run)

    def is_due(self, repository: Repository, period: timedelta) -> bool:
        """Whether this sync visits it."""
        visited = self._visited(repository)
        if visited is None or self.rank(repository)[0] < QUIET:
            return True
        return has_turn(repository.pk, visited, self._run.sync.created_at, period)

    def rank(self, repository: Repository) -> tuple[int, float]:
        """First those of which webhooks told, then those that moved, then the recently active, then
        the rest, the oldest first.
        """
        visited = self._visited(repository)
        told = self._told.get(repository.uuid)
        if told is not None and (visited is None or told > visited):
            return TOLD, -told.timestamp()
        if visited is None or repository.updated_on > visited:
            return MOVED, -repository.updated_on.timestamp()
        if repository.pk in self._active:
            return ACTIVE, -repository.updated_on.timestamp()
        return QUIET, visited.timestamp()

    def _visited(self, repository: Repository) -> datetime | None:
        """Up to when it is complete; None where anything is unfinished, missing, of this sync, or
        before what was read of a window that was widened, so that what a slice began the next ends.
        """
        moments = []
        for stream in self._streams:
            place = Place(stream, repository.pk)
            known = self._run.book.known(place)
            if self._run.lacks_earlier(place):
                return None
            if known is None or not self._is_settled(known) or known.complete_as_of is None:
                return None
            moments.append(known.complete_as_of)
        return min(moments, default=None)

    def _is_settled(self, coverage: Coverage) -> bool:
        is_of_this_sync = coverage.ended_by == self._run.sync.pk
        return not is_of_this_sync and coverage.checkpoint is None and coverage.gap is None
