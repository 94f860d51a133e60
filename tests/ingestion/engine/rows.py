"""All records of a connection as plain values, so that two syncs can be compared."""

from typing import Any

from ingestion.models import (
    Comment,
    Commit,
    Deployment,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Record,
    Repository,
    Review,
    Step,
)

OURS = {"id", "organization", "connection", "changed_at", "seen_by"}
KEYS = {
    "repository": "repository__uuid",
    "pull_request": "pull_request__number",
    "author": "author__uuid",
    "closed_by": "closed_by__uuid",
    "person": "person__uuid",
    "creator": "creator__uuid",
    "run": "run__uuid",
}
TABLES: tuple[type[Record], ...] = (
    Repository,
    Person,
    PullRequest,
    Review,
    Event,
    Comment,
    PipelineRun,
    Step,
    Deployment,
    Commit,
)
LATE = {"due_for", "activity_done_for", "comments_done_for"}


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Every record by table, without our own keys and times, in an order of their values."""
    return {model.__name__: _rows(model) for model in TABLES}


def count() -> int:
    """How many records there are."""
    return sum(model._default_manager.count() for model in TABLES)


def _rows(model: type[Record]) -> list[tuple[Any, ...]]:
    names = [f.name for f in model._meta.fields if f.name not in OURS]
    columns = [KEYS.get(name, name) for name in names]
    if "repository" not in names and "repository_id" in {f.attname for f in model._meta.fields}:
        columns.append("repository__uuid")
    return sorted(model._default_manager.values_list(*columns), key=repr)
