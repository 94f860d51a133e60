"""When a repository is compared with the provider's counts: when somebody asks for it, and once a
week from requests that nobody needs.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingestion.engine.rotation import has_turn
from ingestion.engine.run import Run
from ingestion.engine.visits.comparison import ComparisonVisit
from ingestion.models import COMPARISON, Repository, Sync
from ingestion.selectors.connections import quota_of
from ingestion.sources import counted_streams
from ingestion.writer.batch import Place

WEEK = timedelta(days=7)
SPARE = 2  # of the window, one part in so many must be free


def comparisons(run: Run) -> list[ComparisonVisit]:
    """The visits of this sync's comparison, now that all else has come to its end."""
    is_asked = is_asked_for(run)
    if not is_asked and not (run.sync.trigger == Sync.Trigger.SCHEDULE and _has_spare(run)):
        return []
    found = []
    for repository in run.repositories.values():
        place, until = Place(COMPARISON, repository.pk), _complete(run, repository)
        if not until or run.has_ended(place) or place in run.put_off:
            continue
        if is_asked or _has_turn(run, repository, until):
            found.append(ComparisonVisit(run, repository, until))
    return found


def is_asked_for(run: Run) -> bool:
    """Whether somebody asked to compare."""
    return COMPARISON in run.sync.streams


def _complete(run: Run, repository: Repository) -> dict[str, datetime]:
    """Up to when each stream that can be counted is complete, by this sync."""
    found = {}
    for stream in counted_streams(run.connection.connector):
        place = Place(stream, repository.pk)
        known = run.book.known(place)
        if run.copies(stream) and known and run.book.has_ended_well(place) and known.complete_as_of:
            found[stream] = known.complete_as_of
    return found


def _has_turn(run: Run, repository: Repository, streams: Iterable[str]) -> bool:
    """Whether a week's turn of it lies between its last comparison and this sync."""
    told = (run.book.known(Place(stream, repository.pk)) for stream in streams)
    moments = [one.comparison["at"] for one in told if one and one.comparison]
    before = datetime.fromisoformat(min(moments)) if moments else run.connection.created_at
    return has_turn(repository.pk, before, run.sync.created_at, WEEK)


def _has_spare(run: Run) -> bool:
    left = quota_of(run.connection)
    return left is not None and left.left * SPARE >= left.limit
