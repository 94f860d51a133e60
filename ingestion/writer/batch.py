"""Writes what several pages brought, together: one upsert per table, whatever the number of pages.

The caller holds the transaction and the fence.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import Model

from ingestion.models import PipelineRun, PullRequest
from ingestion.sources.rows import (
    CommentRow,
    CommitRow,
    DeploymentRow,
    EventRow,
    PersonRow,
    PipelineRow,
    PullRequestRow,
    RejectedRecord,
    RepositoryRow,
    Row,
    StepRow,
)
from ingestion.writer import builds, details, values
from ingestion.writer.details import PullRequestKeys
from ingestion.writer.people import People, person
from ingestion.writer.store import Shared, Values, Written, upsert, upsert_carefully
from ingestion.writer.tables import (
    COMMENT,
    COMMIT,
    DEPLOYMENT,
    EVENT,
    PERSON,
    PIPELINE_RUN,
    PULL_REQUEST,
    REPOSITORY,
    REVIEW,
    STEP,
    Table,
)

STREAM_OF = {
    PERSON: "people",
    REPOSITORY: "repositories",
    PULL_REQUEST: "pull_requests",
    EVENT: "pull_request_activity",
    COMMENT: "pull_request_comments",
    PIPELINE_RUN: "pipelines",
    STEP: "pipeline_steps",
    DEPLOYMENT: "deployments",
    COMMIT: "commits",
}

# Where rows are details: what their key begins with, and Bitbucket's own name of that.
PARENTS: dict[str, tuple[type[Model], str]] = {
    "pull_request_id": (PullRequest, "number"),
    "run_id": (PipelineRun, "uuid"),
}


class Place(NamedTuple):
    """Where rows belong: a stream, of a repository or of the whole connection."""

    stream: str
    repository_id: int | None


@dataclass(slots=True)
class Counts:
    """What became of the rows that were read."""

    read: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    rejected: int = 0

    @property
    def unchanged(self) -> int:
        return max(0, self.read - self.created - self.updated - self.rejected)

    @property
    def changed(self) -> int:
        return self.created + self.updated + self.removed

    def add(self, other: "Counts") -> None:
        self.read += other.read
        self.created += other.created
        self.updated += other.updated
        self.removed += other.removed
        self.rejected += other.rejected


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not kept; `parent` is Bitbucket's name of what it is a detail of."""

    place: Place
    key: str
    reason: str
    parent: str = ""


@dataclass(slots=True, kw_only=True)
class Batch:
    """Rows of one connection on their way into the database.

    `is_selected` says which repositories are synced; `seen_by` is the reading of everything that
    marks what it sees. A careful batch finds single rows that the database refuses; one that is not
    raises what the database raises.
    """

    organization_id: int
    connection_id: int
    people: People
    now: datetime
    is_selected: Callable[[RepositoryRow], bool]
    careful: bool = False
    seen_by: int | None = None
    pull_requests: PullRequestKeys = field(default_factory=PullRequestKeys)
    tally: defaultdict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    rejections: list[Rejection] = field(default_factory=list)

    def write(self, pages: Iterable[tuple[Place, Sequence[Row]]]) -> None:
        """Write all rows of all pages. `tally` and `rejections` then tell what became of them."""
        found: dict[type, list[tuple[Place, Any]]] = defaultdict(list)
        for place, rows in pages:
            for row in rows:
                found[type(row)].append((place, row))
        self._reject_unread(found.pop(RejectedRecord, []))
        self._write_members(found[PersonRow])
        self.people.meet(values.people_in(found), self._put)
        self._write_repositories(found[RepositoryRow])
        self._write_pull_requests(found[PullRequestRow])
        self._write_details(found[EventRow], found[CommentRow])
        self._write_pipelines(found[PipelineRow])
        self._write_steps(found[StepRow])
        self._write_deployments(found[DeploymentRow])
        self._write_commits(found[CommitRow])

    def _reject_unread(self, found: list[tuple[Place, RejectedRecord]]) -> None:
        for place, row in found:
            self.tally[place].read += 1
            self._reject(place, row.key, row.reason, row.parent)

    def _write_members(self, found: list[tuple[Place, PersonRow]]) -> None:
        self._write(PERSON, [person(row, is_member=True) for _, row in found])

    def _write_repositories(self, found: list[tuple[Place, RepositoryRow]]) -> None:
        self._write(REPOSITORY, [values.repository(row, self.is_selected(row)) for _, row in found])

    def _write_pull_requests(self, found: list[tuple[Place, PullRequestRow]]) -> None:
        if not found:
            return
        rows = [
            (place.repository_id, *values.pull_request(row, self.people)) for place, row in found
        ]
        self._write(PULL_REQUEST, rows, newest_first_by=PULL_REQUEST.columns.index("updated_on"))
        reviews, stale = details.reviews_of(found, self.people, self.pull_requests)
        self._put(REVIEW, reviews, True)
        details.withdraw_reviews(stale, self.now)

    def _write_details(
        self, events: list[tuple[Place, EventRow]], comments: list[tuple[Place, CommentRow]]
    ) -> None:
        if not events and not comments:
            return
        keys = self.pull_requests.of([*events, *comments])
        bare = details.bare_pull_requests(events, keys)
        if bare:
            self._put(PULL_REQUEST, bare, False)
            keys = self.pull_requests.of([*events, *comments])
        known = details.keys_without_person(events, keys)
        self._write(
            EVENT,
            [
                (place.repository_id, key, *values.event(row, self.people, known))
                for place, row in events
                if (key := keys.get((place.repository_id, row.pull_request)))
            ],
        )
        self._write(
            COMMENT,
            [
                (place.repository_id, key, *values.comment(row, self.people))
                for place, row in comments
                if (key := keys.get((place.repository_id, row.pull_request)))
            ],
        )

    def _write_pipelines(self, found: list[tuple[Place, PipelineRow]]) -> None:
        self._write(
            PIPELINE_RUN,
            [(place.repository_id, *values.pipeline(row, self.people)) for place, row in found],
        )

    def _write_steps(self, found: list[tuple[Place, StepRow]]) -> None:
        keys = builds.run_keys(found)
        self._write(
            STEP,
            [
                (place.repository_id, key, *values.step(row))
                for place, row in found
                if (key := keys.get((place.repository_id, row.run)))
            ],
        )

    def _write_deployments(self, found: list[tuple[Place, DeploymentRow]]) -> None:
        self._write(
            DEPLOYMENT,
            [(place.repository_id, *values.deployment(row)) for place, row in found],
        )

    def _write_commits(self, found: list[tuple[Place, CommitRow]]) -> None:
        self._write(
            COMMIT,
            [(place.repository_id, *values.commit(row, self.people)) for place, row in found],
        )

    def _write(self, table: Table, rows: list[Values], newest_first_by: int | None = None) -> None:
        """Write rows of a stream and count them. Of two with one key the newer one counts."""
        if not rows:
            return
        at, stream = table.repository_at, STREAM_OF[table]
        read = Counter(None if at is None else row[at] for row in rows)
        for repository, count in read.items():
            self.tally[Place(stream, repository)].read += count
        if newest_first_by is not None:
            rows = sorted(rows, key=lambda row: row[newest_first_by])
        key = itemgetter(*table.key_at)
        once = {key(row): row for row in rows}
        for written, count in self._put(table, list(once.values()), True).items():
            counts = self.tally[Place(stream, written.repository_id)]
            if written.is_created:
                counts.created += count
            else:
                counts.updated += count

    def _put(self, table: Table, rows: Sequence[Values], replace: bool) -> Counter[Written]:
        shared = Shared(self.organization_id, self.connection_id, self.now)
        seen_by = self.seen_by if replace else None
        if not self.careful:
            return upsert(table, rows, shared, replace=replace, seen_by=seen_by)

        def refused(row: Values, reason: str) -> None:
            name, parent = str(row[table.key_at[-1]]), ""
            if table.key[0] in PARENTS:
                parent = self._parent(table, row)
            if table is REVIEW:  # it comes with its pull request
                name, parent = parent, ""
            self._reject(self._place(table, row), name, reason, parent)

        return upsert_carefully(table, rows, shared, refused, replace=replace, seen_by=seen_by)

    def _place(self, table: Table, row: Values) -> Place:
        repository = None if table.repository_at is None else row[table.repository_at]
        return Place(STREAM_OF.get(table, "pull_requests"), repository)

    def _parent(self, table: Table, row: Values) -> str:
        """Bitbucket's name of the pull request, or run, of a detail."""
        at, model, name = table.key_at[0], *PARENTS[table.key[0]]
        found = model._default_manager.filter(pk=row[at]).values_list(name, flat=True)
        return str(found.first() or "")

    def _reject(self, place: Place, key: str, reason: str, parent: str = "") -> None:
        self.tally[place].rejected += 1
        self.rejections.append(Rejection(place, key, reason, parent))
