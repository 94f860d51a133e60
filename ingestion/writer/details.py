"""What belongs to pull requests: finds their keys, keeps reviews, writes bare ones."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Field, Q, QuerySet

from ingestion.models import Event, PullRequest, Review
from ingestion.sources.rows import CommentRow, EventRow, PullRequestRow
from ingestion.writer.people import People
from ingestion.writer.store import Values
from ingestion.writer.tables import PULL_REQUEST

REMEMBERED = 10_000  # pull requests; a key takes about 200 bytes
Pair = tuple[int | None, int]  # a repository's key and the number of a pull request


class PullRequestKeys:
    """Our keys of the pull requests met lately. Their details come soon after them, page by page,
    and each batch would ask for the same ones again.
    """

    def __init__(self) -> None:
        self._met: dict[Pair, int] = {}

    def forget(self) -> None:
        """Forget all, such as what a rolled back transaction made."""
        self._met.clear()

    def meet(self, keys: Mapping[Pair, int]) -> None:
        """Remember these, and of the others no more than memory should hold."""
        if len(self._met) + len(keys) > REMEMBERED:
            self._met.clear()
        self._met.update(keys)

    def of(self, found: Sequence[tuple[Any, EventRow | CommentRow]]) -> dict[Pair, int]:
        """The key of every pull request that events and comments name, where there is one."""
        pairs = {(place.repository_id, row.pull_request) for place, row in found}
        known = {pair: self._met[pair] for pair in pairs if pair in self._met}
        columns = _among(pairs - known.keys()).values_list("repository_id", "number", "pk")
        read: dict[Pair, int] = {(repository, number): pk for repository, number, pk in columns}
        self.meet(read)
        return known | read


def _among(pairs: Collection[Pair]) -> "QuerySet[PullRequest]":
    """These pull requests."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for repository, number in pairs:
        if repository is not None:
            wanted[repository].append(number)
    if not wanted:
        return PullRequest.objects.none()
    mine = Q()
    for repository, numbers in wanted.items():
        mine |= Q(repository_id=repository, number__in=numbers)
    return PullRequest.objects.filter(mine).order_by()


def bare_pull_requests(
    events: Sequence[tuple[Any, EventRow]], known: Mapping[Pair, int]
) -> list[Values]:
    """Rows for pull requests that the feed names and no listing has shown yet.

    They carry what the feed tells and are due; the next walk replaces them.
    """
    unknown: dict[Pair, list[EventRow]] = defaultdict(list)
    for place, row in events:
        if (place.repository_id, row.pull_request) not in known:
            unknown[place.repository_id, row.pull_request].append(row)
    return [_bare(pair, rows) for pair, rows in unknown.items()]


def _bare(pair: Pair, rows: list[EventRow]) -> Values:
    last = max(rows, key=lambda row: row.happened_at)
    state = next((row.state for row in rows if row.state), "")
    told = {
        "repository_id": pair[0],
        "number": pair[1],
        "title": last.title,
        "state": state,
        "web_url": last.web_url,
        "updated_on": last.happened_at,
        "due_for": last.happened_at,
    }
    return tuple(told.get(name, _empty(name)) for name in PULL_REQUEST.columns)


def _empty(column: str) -> Any:
    field = PullRequest._meta.get_field(column.removesuffix("_id"))
    return None if not isinstance(field, Field) or field.null else field.get_default()


def keys_without_person(
    events: Sequence[tuple[Any, EventRow]], keys: Mapping[Pair, int]
) -> dict[int, str]:
    """For events of nobody: the key of the stored one of the same pull request, kind and time.

    Its person may have been deleted since; the event must not come a second time.
    """
    nobody = [
        ((keys.get((place.repository_id, row.pull_request)), row.kind, row.happened_at), row)
        for place, row in events
        if row.person is None and row.comment_number is None
    ]
    if not nobody:
        return {}
    stored = Event.objects.filter(
        pull_request_id__in={pk for (pk, _, _), _ in nobody if pk},
        happened_at__in={moment for (_, _, moment), _ in nobody},
    ).values_list("pull_request_id", "kind", "happened_at", "key")
    found = {(pk, kind, moment.astimezone(UTC)): key for pk, kind, moment, key in stored}
    return {id(row): found[at] for at, row in nobody if at in found}


def reviews_of(
    found: Iterable[tuple[Any, PullRequestRow]], people: People, keys: PullRequestKeys
) -> tuple[list[Values], list[int]]:
    """Reviews to write, and the keys of those whose people are no longer among the participants.

    Only of pull requests whose stored version is the one that was read.
    """
    told = {
        (place.repository_id, row.number): row
        for place, row in sorted(found, key=lambda one: one[1].updated_on)
        if row.participants is not None
    }
    rows: list[Values] = []
    stale: list[int] = []
    stored = _reviewed(told.keys())
    keys.meet({pair: one.key for pair, one in stored.items()})
    for pair, one in stored.items():
        row = told[pair]
        if one.updated_on != row.updated_on:
            continue
        mine = {
            people.key(participant.person): participant for participant in row.participants or ()
        }
        stale += [key for person, key in one.reviews.items() if person not in mine]
        rows += [
            (
                pair[0],
                one.key,
                person,
                participant.role,
                participant.state,
                participant.is_approved,
                participant.participated_on,
            )
            for person, participant in mine.items()
            if person
        ]
    return rows, stale


class _Reviewed(NamedTuple):
    """A stored pull request, and the keys of its reviews by their people."""

    key: int
    updated_on: datetime
    reviews: dict[int, int]


def _reviewed(pairs: Collection[Pair]) -> dict[Pair, _Reviewed]:
    """Each of these pull requests with its reviews, in one statement.

    Withdrawn ones are passed over here: of a new table PostgreSQL believes that hardly any row has
    no `removed_at`, and then it compares every review with every pull request.
    """
    review = ("reviews__pk", "reviews__person_id", "reviews__removed_at")
    columns = _among(pairs).values_list("repository_id", "number", "pk", "updated_on", *review)
    found: dict[Pair, _Reviewed] = {}
    for repository, number, pk, updated_on, key, person, removed_at in columns:
        one = found.setdefault((repository, number), _Reviewed(pk, updated_on, {}))
        if key is not None and removed_at is None:
            one.reviews[person] = key
    return found


def withdraw_reviews(stale: Collection[int], now: datetime) -> None:
    """Mark these reviews as withdrawn."""
    if stale:
        Review.objects.filter(pk__in=stale).update(removed_at=now, changed_at=now)
