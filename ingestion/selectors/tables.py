"""The tables of records that leave the system, and their rows as plain values."""

from datetime import datetime
from typing import Any

from django.db import models

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
from tenants.api import timestamp

TABLES: dict[str, type[models.Model]] = {
    "repositories": Repository,
    "people": Person,
    "pull_requests": PullRequest,
    "reviews": Review,
    "events": Event,
    "comments": Comment,
    "pipelines": PipelineRun,
    "pipeline_steps": Step,
    "deployments": Deployment,
    "commits": Commit,
}
OURS = {  # how the engine keeps its place: no one else's business
    "organization",
    "seen_by",
    "due_for",
    "activity_done_for",
    "comments_done_for",
    "steps_done_run",
    "steps_done_for",
    "key",
}


def columns_of(model: type[models.Model]) -> list[Any]:
    """The columns of a table that leave the system."""
    return [field for field in model._meta.concrete_fields if field.name not in OURS]


def record_row(record: models.Model) -> dict[str, Any]:
    """Any record: every column by its name, a reference as `<name>_id`."""
    return {
        field.attname: plain(getattr(record, field.attname)) for field in columns_of(type(record))
    }


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return timestamp(value) if isinstance(value, datetime) else value


def kind_of(field: Any) -> str:
    """What a column holds: integer, boolean, moment, json or text."""
    if isinstance(field, models.ForeignKey | models.IntegerField):
        return "integer"
    if isinstance(field, models.BooleanField):
        return "boolean"
    if isinstance(field, models.DateTimeField):
        return "moment"
    return "json" if isinstance(field, models.JSONField) else "text"
