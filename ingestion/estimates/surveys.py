"""Measures what decides how many requests a sync takes: with at most 40, kept for an hour.

What was measured once serves every choice of streams and repositories; another window is measured
anew. Makes requests: never call it in a transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any
from zlib import crc32

from django.core.cache import cache

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.transport.errors import Gone, InvalidPermissions, NotFound
from connections.transport.ledger import ledger
from connections.transport.relay import Relay
from ingestion.sources import source, source_kind
from ingestion.sources.base import Source
from ingestion.sources.costs import REPOSITORIES, Measure
from ingestion.sources.rows import RepositoryRow

MOST = 40  # requests of one estimate
LISTED_PAGES, LISTED_AT_ONCE = 10, 100  # of a list of repositories that is not here yet
KEPT = 3600  # seconds
REFUSED = (Gone, InvalidPermissions, NotFound)

Taken = dict[str, dict[str, float]]  # sizes by repository; "" is the connection as a whole


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a sync would copy. `repositories` are the provider's ids of those that are chosen; of
    `listed` repositories in all, None where that is not known. `key` tells subjects apart; `spent`
    are the requests that it took to list them, `own_hours` how far apart some streams are read.
    """

    key: str
    connector: str
    streams: Sequence[str]
    repositories: Sequence[str]
    listed: int | None
    since: datetime | None
    spent: int = 0
    own_hours: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Survey:
    """What was measured, by measure; and what one request took, in seconds."""

    taken: dict[str, Taken] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0
    asked: int = 0  # of these, for the estimate that is made now
    seconds: float = 0.0

    def has(self, measure: str, repository: str) -> bool:
        return repository in self.taken.get(measure, {})

    def note(self, measure: str, repository: str, sizes: Mapping[str, float]) -> None:
        self.taken.setdefault(measure, {})[repository] = dict(sizes)


def survey(subject: Subject, entry: Callable[[], Entry]) -> Survey:
    """What is known by now, and what is still to be measured. Raises ProviderError."""
    where = _address(subject)
    found: Survey = cache.get(where) or Survey()
    wanted = _missing(found, subject)
    if wanted:
        begun, before = monotonic(), found.requests
        try:
            _take(found, wanted, subject, entry())
        finally:
            asked = found.requests - before
            if asked:
                found.seconds = (monotonic() - begun) / asked
            cache.set(where, found, KEPT)
            found.asked = asked
    return found


def list_repositories(key: str, kind: str, entry: Callable[[], Entry]) -> list[tuple[str, str]]:
    """Id and name of the repositories that are listed, the first thousand. Raises ProviderError."""
    where = f"survey:{key}:repositories"
    found: list[tuple[str, str]] | None = cache.get(where)
    if found is None:
        found = []
        client = connector(kind).client(entry())
        with closing(client):
            for page in islice(source(kind, client).repositories(), LISTED_PAGES):
                rows = (row for row in page.rows if isinstance(row, RepositoryRow))
                found += [(row.uuid, row.full_name) for row in rows]
        cache.set(where, found, KEPT)
    return found


def known(subject: Subject) -> Survey | None:
    """What is known by now, without any request."""
    found: Survey | None = cache.get(_address(subject))
    return found


def measures_of(subject: Subject) -> list[Measure]:
    """The measures that the streams of a subject need."""
    copied = set(subject.streams)
    return [one for one in source_kind(subject.connector).measures if copied & set(one.streams)]


def _address(subject: Subject) -> str:
    since = subject.since.date().isoformat() if subject.since else "all"
    return f"survey:{subject.key}:{since}"


def _missing(found: Survey, subject: Subject) -> dict[str, list[Measure]]:
    """What to measure, by repository. Always the same ones are asked, whatever else is chosen."""
    wanted = defaultdict[str, list[Measure]](list)
    left, measures = MOST - subject.spent, measures_of(subject)
    for one in measures:
        is_told = one.name == REPOSITORIES and subject.listed is not None
        if not (one.of_repository or is_told):
            left -= one.requests
            if not found.has(one.name, ""):
                wanted[""].append(one)
    of_repository = [one for one in measures if one.of_repository]
    ranked = sorted(subject.repositories, key=lambda key: crc32(key.encode()))
    for one, count in _shares(of_repository, subject, left).items():
        sample = ranked[:count]
        for repository in sample:
            if not found.has(one.name, repository):
                wanted[repository].append(one)
    return wanted


def _shares(measures: Sequence[Measure], subject: Subject, requests: int) -> dict[Measure, int]:
    """Of how many repositories each measure is taken: by weight, none of more than there are."""
    shares, left = dict[Measure, int](), requests
    weights = {one: one.weight * len(set(one.streams) & set(subject.streams)) for one in measures}
    for one in sorted(measures, key=lambda one: -weights[one] / one.requests):
        total = sum(weight for each, weight in weights.items() if each not in shares)
        share = left * weights[one] // total // one.requests
        shares[one] = min(len(subject.repositories), max(1, share))
        left -= shares[one] * one.requests
    for one in measures:  # what is left over
        more = min(len(subject.repositories) - shares[one], left // one.requests)
        shares[one] += max(0, more)
        left -= max(0, more) * one.requests
    return shares


def _take(
    found: Survey, wanted: Mapping[str, list[Measure]], subject: Subject, entry: Entry
) -> None:
    kind, relay = connector(subject.connector), Relay(ledger())
    entry = replace(entry, renew=relay.through(entry.renew))
    transport = kind.transport(entry, ledger=relay)
    asks = source(kind.key, kind.client(entry, transport))
    try:
        relay.run([partial(_ask, found, asks, key, wanted[key], subject.since) for key in wanted])
    finally:
        transport.close()


def _ask(
    found: Survey,
    asks: Source,
    repository: str,
    measures: Iterable[Measure],
    since: datetime | None,
) -> None:
    """Take the measures of one repository in turn. What is refused counts as nothing."""
    notes = found.notes.setdefault(repository, {})
    for one in measures:
        found.requests += one.requests
        try:
            found.note(one.name, repository, asks.measure(one.name, repository, since, notes))
        except REFUSED:
            found.note(one.name, repository, {})
