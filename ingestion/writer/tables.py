"""The tables that are written: their keys, what is compared, and when a row may be replaced."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model

from ingestion.models import (
    Comment,
    Commit,
    Deployment,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Repository,
    Review,
    Step,
)

SHARED = ("organization_id", "connection_id", "changed_at")  # the same in all rows of a batch
IN_REPOSITORY = ("repository_id",)
IN_PULL_REQUEST = (*IN_REPOSITORY, "pull_request_id")
IN_RUN = (*IN_REPOSITORY, "run_id")


@dataclass(frozen=True)
class Table:
    """One table. `old` and `new` in `guard` are the stored row and the one to write.

    A stored row is replaced only where a column of `compared` differs and `guard` holds. `also` is
    written with it. Columns of `kept` keep their value where the new one is null. `cleared` are
    null in every row that is written: what is seen is neither gone nor withdrawn.
    """

    model: type[Model]
    owners: tuple[str, ...]
    key: tuple[str, ...]
    compared: tuple[str, ...]
    guard: str = ""
    also: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()
    cleared: tuple[str, ...] = ("removed_at",)

    @cached_property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What rows differ in, in the order of their values; the rest is `SHARED` or cleared."""
        own = tuple(name for name in self.key if name not in (*self.owners, *SHARED))
        return (*self.owners, *own, *self.compared, *self.also)

    @cached_property
    def key_at(self) -> tuple[int, ...]:
        """Where the key stands in a row, but for what is shared."""
        return tuple(self.columns.index(name) for name in self.key if name not in SHARED)

    @cached_property
    def repository_at(self) -> int | None:
        """Where the repository stands in a row."""
        found = "repository_id" in self.columns
        return self.columns.index("repository_id") if found else None

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """What columns are called on their way to PostgreSQL: names would be half of the text."""
        return tuple(map(str, range(len(self.columns))))

    @cached_property
    def nested(self) -> tuple[str, ...]:
        """Numbers of the columns whose values are JSON texts."""
        columns = zip(self.numbers, self.columns, strict=True)
        return tuple(at for at, name in columns if isinstance(self._field(name), JSONField))

    def type_of(self, name: str) -> str | None:
        """What the database calls the type of a column."""
        return self._field(name).db_type(connection)

    def _field(self, name: str) -> "Field[Any, Any]":
        return next(one for one in self.model._meta.concrete_fields if one.attname == name)


PERSON = Table(
    Person,
    (),
    ("connection_id", "uuid"),
    ("account_id", "name", "nickname", "kind", "is_member"),
    guard="(new.is_member OR NOT old.is_member)",  # what a record says of a member is passed by
)

REPOSITORY = Table(
    Repository,
    (),
    ("connection_id", "uuid"),
    (
        "name",
        "slug",
        "full_name",
        "project_key",
        "project_name",
        "is_private",
        "language",
        "main_branch",
        "parent_uuid",
        "size",
        "web_url",
        "created_on",
        "updated_on",
        "is_selected",
    ),
    guard="new.updated_on >= old.updated_on",
)

PULL_REQUEST = Table(
    PullRequest,
    IN_REPOSITORY,
    ("repository_id", "number"),
    (
        "title",
        "description",
        "state",
        "is_draft",
        "author_id",
        "closed_by_id",
        "source_branch",
        "source_commit",
        "source_repository_uuid",
        "destination_branch",
        "destination_commit",
        "merge_commit",
        "close_source_branch",
        "reason",
        "comment_count",
        "task_count",
        "web_url",
        "created_on",
        "updated_on",
    ),
    # A bare row has the time of an event, which may be a little later than what it happened to.
    guard="(old.created_on IS NULL OR new.updated_on >= old.updated_on)",
    also=("due_for",),
)

REVIEW = Table(
    Review,
    IN_PULL_REQUEST,
    ("pull_request_id", "person_id"),
    ("role", "state", "is_approved", "participated_on"),
)

EVENT = Table(
    Event,
    IN_PULL_REQUEST,
    ("pull_request_id", "key"),
    (
        "kind",
        "happened_at",
        "person_id",
        "state",
        "source_commit",
        "changes",
        "comment_number",
    ),
    kept=frozenset({"person_id"}),
    cleared=("withdrawn_at", "removed_at"),
)

COMMENT = Table(
    Comment,
    IN_PULL_REQUEST,
    ("pull_request_id", "number"),
    (
        "author_id",
        "content",
        "path",
        "line",
        "parent_number",
        "is_deleted",
        "is_resolved",
        "created_on",
        "updated_on",
    ),
    guard="(new.updated_on < old.updated_on) IS NOT TRUE",
)

PIPELINE_RUN = Table(
    PipelineRun,
    IN_REPOSITORY,
    ("repository_id", "uuid"),
    (
        "number",
        "run_number",
        "state",
        "result",
        "trigger",
        "creator_id",
        "target",
        "ref_name",
        "commit",
        "duration",
        "build_seconds",
        "created_on",
        "completed_on",
    ),
    guard="(new.run_number, new.completed_on IS NOT NULL, COALESCE(new.completed_on, '0001-01-01'))"
    " >= (old.run_number, old.completed_on IS NOT NULL, COALESCE(old.completed_on, '0001-01-01'))",
)

STEP = Table(
    Step,
    IN_RUN,
    ("run_id", "uuid"),
    (
        "name",
        "run_number",
        "state",
        "result",
        "trigger",
        "duration",
        "build_seconds",
        "max_minutes",
        "started_on",
        "completed_on",
    ),
    guard="new.run_number >= old.run_number",
)

DEPLOYMENT = Table(
    Deployment,
    IN_REPOSITORY,
    ("repository_id", "uuid"),
    (
        "number",
        "environment_uuid",
        "environment",
        "environment_type",
        "state",
        "result",
        "release",
        "run_uuid",
        "step_uuid",
        "commit",
        "version",
        "created_on",
        "started_on",
        "completed_on",
        "updated_on",
    ),
    guard="(new.updated_on < old.updated_on) IS NOT TRUE",
)

COMMIT = Table(
    Commit,
    IN_REPOSITORY,
    ("repository_id", "hash"),
    ("author_id", "author_text", "message", "parents", "committed_on"),
)
