"""When what is here is compared with the provider's counts: when somebody asks for it, and once a
week from requests that nobody needs.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingestion.engine.book import TOLERATED
from ingestion.engine.rotation import has_turn
from ingestion.engine.run import Run
from ingestion.engine.visits.base import Visit
from ingestion.engine.visits.comparison import ComparisonVisit, WholeComparisonVisit
from ingestion.engine.visits.here import TOLD_HERE
from ingestion.models import COMPARISON, WHOLE, Sync
from ingestion.selectors.connections import quota_of
from ingestion.selectors.streams import chosen_streams
from ingestion.sources import counted_streams
from ingestion.writer.batch import Place

WEEK = timedelta(days=7)
SPARE = 2  # of the window, one part in so many must be free


def comparisons(run: Run) -> list[Visit]:
    """The visits of this sync's comparison, now that all else has come to its end."""
    is_asked = is_asked_for(run)
    if not is_asked and not (run.sync.trigger == Sync.Trigger.SCHEDULE and _has_spare(run)):
        return []
    chosen = chosen_streams(run.connection)
    known = (*counted_streams(run.connection.connector), *TOLD_HERE)
    streams = [stream for stream in chosen if stream in known]
    found: list[Visit] = []
    whole = [stream for stream in streams if stream in WHOLE and _sees_all(run)]
    until = _complete(run, None, whole)
    if until and (is_asked or _has_turn(run, None, until)) and _is_open(run, None):
        found.append(WholeComparisonVisit(run, until))
    inside = [stream for stream in streams if stream not in WHOLE]
    for repository in run.repositories.values():
        until = _complete(run, repository.pk, inside) if _is_open(run, repository.pk) else {}
        if until and (is_asked or _has_turn(run, repository.pk, until)):
            found.append(ComparisonVisit(run, repository, until))
    return found


def is_asked_for(run: Run) -> bool:
    """Whether somebody asked to compare."""
    return COMPARISON in run.sync.streams


def copies_nothing(sync: Sync) -> bool:
    """Whether a sync only compares what those before it have copied."""
    return bool(sync.streams == [COMPARISON])


def _is_open(run: Run, repository: int | None) -> bool:
    place = Place(COMPARISON, repository)
    return not run.has_ended(place) and place not in run.put_off


def _sees_all(run: Run) -> bool:
    """Whether one answer counts all: several credentials may each see other repositories."""
    members = run.pool.members
    return len(members) == 1 and not members[0].entry.settings.get("repository")


def _complete(run: Run, repository: int | None, streams: Iterable[str]) -> dict[str, datetime]:
    """Up to when each of these streams is complete: by this sync, where it reads them."""
    found = {}
    for stream in streams:
        known = run.book.known(Place(stream, repository))
        if known is None or known.complete_as_of is None or known.checkpoint is not None:
            continue
        if known.gap is not None and known.gap["code"] not in TOLERATED:
            continue
        if stream in run.sync.streams and known.ended_by != run.sync.pk:
            continue
        found[stream] = known.complete_as_of
    return found


def _has_turn(run: Run, repository: int | None, streams: Iterable[str]) -> bool:
    """Whether a week's turn of it lies between its last comparison and this sync."""
    told = (run.book.known(Place(stream, repository)) for stream in streams)
    moments = [one.comparison["at"] for one in told if one and one.comparison]
    before = datetime.fromisoformat(min(moments)) if moments else run.connection.created_at
    return has_turn(repository or run.connection.pk, before, run.sync.created_at, WEEK)


def _has_spare(run: Run) -> bool:
    left = quota_of(run.connection)
    return left is not None and left.left * SPARE >= left.limit
