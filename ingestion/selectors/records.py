"""Records, searched and ordered for pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from connections.models import Connection
from connections.models.connection import kept_since
from ingestion.models import (
    Comment,
    Commit,
    Deployment,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Repository,
    Step,
)
from tenants.models import Organization

SEARCHED = {
    Repository: ("full_name", "name", "project_name"),
    PullRequest: ("title", "source_branch", "author__name"),
    PipelineRun: ("ref_name", "repository__full_name", "creator__name"),
    Person: ("name", "nickname"),
    Deployment: ("environment", "release", "repository__full_name"),
    Commit: ("message", "hash", "author__name", "author_text"),
}
SORTS: dict[type, dict[str, tuple[Any, ...]]] = {
    Repository: {
        "updated": ("updated_on", "pk"),
        "name": ("full_name", "pk"),
        "size": (F("size").asc(nulls_first=True), "pk"),
    },
    PullRequest: {
        "updated": ("updated_on", "pk"),
        "created": (F("created_on").asc(nulls_first=True), "pk"),
        "comments": ("comment_count", "pk"),
    },
    PipelineRun: {
        "created": ("created_on", "pk"),
        "duration": (F("duration").asc(nulls_first=True), "pk"),
    },
    Person: {"name": ("name", "pk")},
    Deployment: {
        "updated": ("updated_on", "pk"),
        "environment": ("environment", "pk"),
    },
    Commit: {"committed": ("committed_on", "pk")},
}
DEFAULT_SORT = {
    Repository: "-updated",
    PullRequest: "-updated",
    PipelineRun: "-created",
    Person: "name",
    Deployment: "-updated",
    Commit: "-committed",
}
RELATED = {
    Repository: ("connection",),
    PullRequest: ("repository", "author"),
    PipelineRun: ("repository", "creator"),
    Person: ("connection",),
    Deployment: ("repository",),
    Commit: ("repository", "author"),
}
FILTERS = {
    Repository: ("connection",),
    PullRequest: ("connection", "repository", "state", "author"),
    PipelineRun: ("connection", "repository", "state", "result"),
    Person: ("connection",),
    Deployment: ("connection", "repository", "result", "environment_type"),
    Commit: ("connection", "repository", "author"),
}
_RUN = PipelineRun.objects.filter(repository=OuterRef("repository"), uuid=OuterRef("run_uuid"))
BESIDE: dict[type, dict[str, Any]] = {  # what a row shows of others
    Deployment: {
        "run_key": Subquery(_RUN.values("pk")[:1]),
        "run_number": Subquery(_RUN.values("number")[:1]),
    },
}


def search_records(
    model: type[Any], organization: Organization, values: dict[str, Any]
) -> QuerySet[Any]:
    """Rows of one table by `q`, by the table's own filters, and by `gone`; ordered by `sort`."""
    found = model.objects.for_organization(organization).select_related(*RELATED[model])
    found = found.filter(readable() if values.get("connection") else Q(connection__deleted_at=None))
    found = found.annotate(**BESIDE.get(model, {}))
    for name in FILTERS[model]:
        if values.get(name):
            found = found.filter(**{name: values[name]})
    if values.get("gone") != "with":
        found = found.filter(removed_at__isnull=values.get("gone") != "only")
    return _sorted(model, found.filter(_matches(model, values.get("q") or "")), values)


def readable() -> Q:
    """Records of connections that are there, or that can be restored."""
    return Q(connection__deleted_at=None) | Q(connection__deleted_at__gt=kept_since())


def _matches(model: type[Any], q: str) -> Q:
    if not q:
        return Q()
    which = Q()
    for name in SEARCHED[model]:
        which |= Q(**{f"{name}__icontains": q})
    if model is PullRequest and q.lstrip("#").isdecimal() and len(q) < 19:
        which |= Q(number=int(q.lstrip("#")))
    return which


def _sorted(model: type[Any], found: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
    sort = values.get("sort") or DEFAULT_SORT[model]
    order = SORTS[model].get(sort.removeprefix("-"))
    if order is None:
        sort, order = DEFAULT_SORT[model], SORTS[model][DEFAULT_SORT[model].removeprefix("-")]
    found = found.order_by(*order)
    return found.reverse() if sort.startswith("-") else found


SHOWN = {
    "selected": Q(is_selected=True, removed_at=None),
    "left_out": Q(is_selected=False, removed_at=None),
    "failed": Q(coverage__gap__isnull=False) | Q(coverage__refusals__gt=0),
    "gone": Q(removed_at__isnull=False),
}


def repositories_of_connection(
    connection: Connection, values: dict[str, Any]
) -> QuerySet[Repository]:
    """The repositories of one connection by `q` and `state`, by name."""
    rows: QuerySet[Repository] = Repository.objects.for_organization(connection.organization_id)
    found = rows.filter(connection_id=connection.home_id)
    if values.get("q"):
        found = found.filter(_matches(Repository, values["q"]))
    if values.get("state"):
        found = found.filter(SHOWN[values["state"]]).distinct()
    return found.order_by("full_name", "pk")


def steps_of(run: PipelineRun) -> QuerySet[Step]:
    """The steps of a run in the order in which they ran; those that a re-run dropped are left out.

    What did not begin comes last.
    """
    kept: QuerySet[Step] = run.steps.filter(removed_at=None)
    return kept.order_by(F("started_on").asc(nulls_last=True), "pk")


STATE_WORDS = {"MERGED": "merged it", "DECLINED": "declined it", "SUPERSEDED": "replaced it"}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One entry of a pull request's timeline."""

    kind: str  # created, update, approval, changes_requested, comment
    time: datetime | None
    person: Person | None
    event: Event | None = None
    comment: Comment | None = None
    moves: bool = False  # an update that brings another commit than the one before

    @property
    def words(self) -> str:
        """What an update did: “merged it”, “changed the title”, “pushed abc123”."""
        if self.event is None:
            return ""
        state = STATE_WORDS.get(self.event.state, "")
        names = [str(name).replace("_", " ") for name in self.event.changes]
        if state and (not names or "status" in self.event.changes):
            return state
        if names:
            return f"changed {', '.join(names)}"
        return f"updated it to {self.event.source_commit[:12]}" if self.moves else "updated it"


def timeline(pull_request: PullRequest) -> list[Moment]:
    """Reviews, comments and updates of a pull request, the oldest first.

    A comment that stands in the feed and in the listing is one entry: that of the listing.
    """
    events = list(pull_request.events.select_related("person"))
    comments = list(pull_request.comments.select_related("author"))
    known = {comment.number for comment in comments}
    moving = _moving(events)
    moments = [
        _moment(event, moves=event.pk in moving)
        for event in events
        if event.comment_number not in known
    ]
    moments += [
        Moment(kind="comment", time=c.created_on, person=c.author, comment=c) for c in comments
    ]
    opened = Moment(kind="created", time=pull_request.created_on, person=pull_request.author)
    return [opened, *sorted(moments, key=_time)]


def _moving(events: list[Event]) -> set[int]:
    """The updates that bring another commit than the update before; the oldest comes first."""
    moving, before = set(), ""
    for event in events:
        if event.source_commit and event.source_commit != before:
            moving.add(event.pk)
            before = event.source_commit
    return moving


def _moment(event: Event, *, moves: bool) -> Moment:
    return Moment(
        kind=event.kind, time=event.happened_at, person=event.person, event=event, moves=moves
    )


def _time(moment: Moment) -> float:
    return moment.time.timestamp() if moment.time else 0.0
