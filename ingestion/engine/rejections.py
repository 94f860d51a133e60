"""Rows that could not be kept: which, why, since when; and that they are here after all."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.timezone import now

from ingestion.models import (
    Comment,
    Commit,
    Deployment,
    PipelineRun,
    PullRequest,
    RejectedRow,
    State,
    Step,
    Sync,
)
from ingestion.writer.batch import Place, Rejection

# The streams whose rejected rows are told by a key that their stored rows have.
KEYED: dict[str, tuple[type[Model], str]] = {
    "pull_requests": (PullRequest, "number"),
    "pull_request_comments": (Comment, "number"),
    "pipelines": (PipelineRun, "uuid"),
    "pipeline_steps": (Step, "uuid"),
    "deployments": (Deployment, "uuid"),
    "commits": (Commit, "hash"),
}
NUMBER = re.compile("[1-9][0-9]{0,17}")
ADDRESSED = ("pull_requests", "pipelines", "deployments", "commits")  # can be asked for one
PAUSE = timedelta(days=1)  # between two questions for a record that could not be kept
UUID = 36  # characters
MOST = 1_000  # that are told apart at one place
NAMED = 3  # of those that are missing, in a sentence
REASON = 100  # characters of each reason there


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """When a row was last refused, why, and of which pull request or run it is a detail."""

    moment: datetime
    reason: str = ""
    parent: str = ""


def is_nameless(stream: str, key: str, one: Refused) -> bool:
    """Whether neither it can be asked for, nor the list of what it belongs to."""
    is_detail = NUMBER.fullmatch(one.parent) or len(one.parent) >= UUID
    return address(stream, key) is None and not is_detail


def address(stream: str, key: str) -> int | str | None:
    """By what a source asks for such a record; None where it told nothing of use."""
    if stream == "pull_requests":
        return int(key) if NUMBER.fullmatch(key) else None
    is_name = len(key) >= UUID and " " not in key  # a uuid, in braces or not; a hash
    return key if stream in ADDRESSED and is_name else None


class Rejections:
    """The rows that are missing at each place, by their keys. What is resolved stays noted."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._found = defaultdict[Place, dict[str, Refused]](dict)

    def load(self) -> None:
        """Read what is missing since all was read: a walk that goes on may bring it no second time.

        What belongs to no repository is read as a whole by each sync.
        """
        mine = Sync.objects.filter(connection_id=self._sync.connection_id)
        whole = mine.filter(mode=Sync.Mode.FULL, state__in=(State.SUCCEEDED, State.PARTIAL))
        first = self._sync if self._sync.mode == Sync.Mode.FULL else whole.first()
        since = (first.goes_on or first.pk) if first else 0
        rows = RejectedRow.objects.filter(sync__in=mine.filter(pk__gte=since), resolved_at=None)
        for row in rows.exclude(~Q(sync=self._sync), repository=None).order_by("created_at", "pk"):
            place = Place(row.stream, row.repository_id)
            self._found[place][row.key] = Refused(
                moment=row.created_at, reason=row.reason, parent=row.parent
            )

    def note(self, rejections: Iterable[Rejection], moment: datetime) -> None:
        """Keep what a batch could not, each once, however often it is refused."""
        fresh, before = dict[tuple[Place, str], RejectedRow](), defaultdict[Place, set[str]](set)
        for one in rejections:
            key, told = self._key(one), {"reason": one.reason, "parent": one.parent[:64]}
            if key in self._found[one.place]:
                before[one.place].add(key)
            self._found[one.place][key] = Refused(moment=moment, **told)
            fresh[one.place, key] = RejectedRow(
                organization_id=self._sync.organization_id,
                sync=self._sync,
                repository_id=one.place.repository_id,
                stream=one.place.stream,
                key=key,
                **told,
            )
        for place, keys in before.items():
            self._rows(place, keys).delete()
        RejectedRow.objects.bulk_create(fresh.values())

    def _key(self, one: Rejection) -> str:
        """What tells it apart; where very many are, they are told by what they belong to alone."""
        key, there = one.key[:200], self._found[one.place]
        if key in there or len(there) < MOST:
            return key
        return f"others of {one.parent}"[:200] if one.parent else "others"

    def missing(self, place: Place) -> Collection[str]:
        """The keys of what is not here because it could not be kept."""
        return self._found.get(place, {}).keys()

    def due(self, place: Place, moment: datetime) -> dict[str, Refused]:
        """What was refused a day before or longer, and is to be asked for by itself."""
        there = self._found.get(place, {})
        return {key: one for key, one in there.items() if one.moment < moment - PAUSE}

    def is_list_due(self, place: Place, moment: datetime) -> bool:
        """Whether something was refused a day before or longer that only its list can bring."""
        due = self.due(place, moment).items()
        return any(is_nameless(place.stream, key, one) for key, one in due)

    def nameless(self, place: Place) -> Collection[str]:
        """The keys of what has neither an address nor something to which it belongs."""
        there = self._found.get(place, {}).items()
        return [key for key, one in there if is_nameless(place.stream, key, one)]

    def resolve(self, place: Place, keys: Collection[str], since: datetime) -> None:
        """These were read well, or are no more, by a walk that began then."""
        there = self._found.get(place, {})
        self._drop(place, [key for key in keys if key in there and there[key].moment < since])

    def resolve_details(self, place: Place, parent: str, since: datetime) -> None:
        """The list of this pull request, or run, was read by a walk that began then."""
        there = self._found.get(place)
        if there:
            mine = [key for key, one in there.items() if one.parent == parent]
            self.resolve(place, mine, since)

    def gap(self, place: Place) -> dict[str, Any] | None:
        """What is missing at a place, if anything still is."""
        if not self._found.get(place):
            return None
        self._drop(place, self._written_since(place))
        missing = self._found[place]
        return rejected_rows(len(missing), missing) if missing else None

    def _drop(self, place: Place, keys: Collection[str]) -> None:
        if not keys:
            return
        for key in keys:
            del self._found[place][key]
        self._rows(place, keys).update(resolved_at=now())

    def _rows(self, place: Place, keys: Collection[str]) -> "QuerySet[RejectedRow]":
        mine = RejectedRow.objects.filter(sync__connection_id=self._sync.connection_id)
        where: dict[str, Any] = {**place._asdict(), "key__in": keys}
        return mine.filter(resolved_at=None, **where)

    def _written_since(self, place: Place) -> list[str]:
        """Keys of rows that were rejected, and could be kept later.

        Pull requests without `created_on` carry only what the feed tells of a pull request.
        """
        rejected = self._found[place]
        if place.stream not in KEYED:
            return []
        model, name = KEYED[place.stream]
        keys = [key for key in rejected if name != "number" or NUMBER.fullmatch(key)]
        among: dict[str, Any] = {"repository_id": place.repository_id, f"{name}__in": keys}
        rows = model._default_manager.filter(**among)
        if model is PullRequest:
            rows = rows.filter(created_on__isnull=False)
        found = rows.values_list(name, "changed_at")
        return [str(key) for key, changed_at in found if changed_at > rejected[str(key)].moment]


def rejected_rows(count: int, which: Any = ()) -> dict[str, Any]:
    """The gap that rows leave which could not be kept; some are named, with the reason."""
    shown = [f"{key} ({which[key].reason[:REASON]})" for key in list(which)[:NAMED]]
    named = f": {', '.join(shown)}{' …' if len(which) > NAMED else ''}" if shown else ""
    return {
        "code": "rejected_rows",
        "message": f"{count:,} of Bitbucket's records could not be stored{named}."
        " Each is asked for again once a day.",
        "retryable": False,
        "mended_by": "operator",
    }
