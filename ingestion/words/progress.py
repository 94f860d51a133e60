"""How far a sync is, and how much longer it takes. Streams weigh as much as they ask.

A sync that goes on with another begins where that one stood: what it had read, and asked for it, is
`carried`, and counts here alone.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.utils.timezone import now

from ingestion.models import UNFINISHED, State, StreamRun, Sync
from tenants.formats import duration as lasting

EARLY = timedelta(seconds=4)  # before that, a guess of the time left would jump about
ENOUGH = 0.25  # of the repositories: what so many took tells what all of them will take
# Nobody tells how long a history is. Until enough of them are read, it is guessed by requests for
# each request of the list of pull requests: a page of the feed holds 50 entries, a page of the
# list 50 pull requests, and each of those leaves some six or seven entries.
GUESSED = {"pull_request_activity": 6.5, "pull_request_comments": 1.0}


def share_done(streams: Sequence[StreamRun]) -> float:
    """How much of a sync is done, 0 to 1."""
    weights = expected_requests(streams)
    whole = sum(weights.values())
    if not whole:  # nothing was asked, or nothing tells yet how much there is to ask
        return sum(share(row) for row in streams) / len(streams) if streams else 0.0
    return sum(_requests(row) for row in streams) / whole


def expected_requests(streams: Sequence[StreamRun]) -> dict[str, float]:
    """About how many requests each stream takes in all; 0 while that is known of none.

    One that has not begun weighs as much as the heaviest: it may be small, and nobody knows yet.
    """
    known = {row.stream: _requests(row) / _settled(row) for row in streams if _settled(row)}
    listing = known.get("pull_requests", 0.0)
    for row in streams:
        if row.stream in GUESSED and not _is_foreseeable(row):
            guess = GUESSED[row.stream] * listing
            known[row.stream] = max(known.get(row.stream, 0.0), guess)
    heaviest = max(known.values(), default=0.0)
    if not heaviest:
        return {row.stream: 0.0 for row in streams}
    return {row.stream: max(_requests(row), known.get(row.stream, heaviest)) for row in streams}


def time_left(sync: Sync, streams: Sequence[StreamRun]) -> str:
    """“about 3 minutes left”, or nothing while that cannot be said."""
    if sync.state != State.RUNNING or sync.started_at is None:
        return ""
    done = share_done(streams)
    whole = sum(expected_requests(streams).values())
    here = done - sum(_carried(row, "requests") for row in streams) / whole if whole else 0.0
    busy = now() - sync.started_at - timedelta(seconds=float(sync.seconds.get("waiting") or 0))
    if busy < EARLY or here < 0.02 or not all(_is_foreseeable(row) for row in streams):
        return ""
    return f"about {lasting(max(busy * ((1 - done) / here), timedelta(seconds=1)))} left"


def share(row: StreamRun) -> float:
    """How much of a stream is done, 0 to 1: by records where their number is known."""
    expected = expected_in_all(row)
    if row.state in (State.SUCCEEDED, State.PARTIAL) or _has_read_all(row, expected):
        return 1.0
    return min(0.99, read_in_all(row) / expected if expected else _share_of_repositories(row))


def _settled(row: StreamRun) -> float:
    """The share on which nothing more is asked: all of a stream once it has ended or failed."""
    return share(row) if row.state in UNFINISHED else 1.0


def expected_in_all(row: StreamRun) -> int:
    """About how many records a stream has; 0 where nothing told.

    Only repositories that were begun have told theirs.
    """
    expected = (row.expected or 0) + _carried(row, "expected")
    if not row.total:
        return expected
    begun = min(row.total, _begun(row))
    return int(expected * row.total / begun) if begun else 0


def _begun(row: StreamRun) -> int:
    """How many repositories ended, or have brought something; see `stream_rows_of`."""
    return max(row.done, getattr(row, "begun", 0) + _carried(row, "begun"))


def read_in_all(row: StreamRun) -> int:
    """How many records of a stream were read, with what is carried."""
    return row.read + _carried(row, "read")


def _requests(row: StreamRun) -> int:
    return row.requests + _carried(row, "requests")


def _read_of_ended(row: StreamRun) -> int:
    """See `stream_rows_of`."""
    return int(getattr(row, "read_of_ended", 0)) + _carried(row, "read_of_ended")


def _carried(row: StreamRun, name: str) -> int:
    """See `stream_rows_of`."""
    return int(getattr(row, "carried", {}).get(name, 0))


def _share_of_repositories(row: StreamRun) -> float:
    """Those that ended, and of those that are being read as much as is here."""
    if not row.total:
        return 0.0
    return (row.done + _being_read(row)) / row.total


def _being_read(row: StreamRun) -> float:
    """The repositories being read, by what those that ended have each; half of each before."""
    under_way = _begun(row) - row.done
    read_of_ended = _read_of_ended(row)
    if not row.done or not read_of_ended:
        return under_way / 2
    return min(under_way, (read_in_all(row) - read_of_ended) * row.done / read_of_ended)


def _has_read_all(row: StreamRun, expected: int) -> bool:
    """Whether a stream of a running sync has nothing left: all repositories, or the one listing."""
    if row.total is not None:
        return row.done >= row.total
    return 0 < expected <= read_in_all(row)


def _is_foreseeable(row: StreamRun) -> bool:
    """Whether it is known well enough how much there is."""
    if _settled(row) == 1.0:
        return True
    return row.done >= ENOUGH * row.total if row.total else bool(expected_in_all(row))
