"""Prints all records of an installation with natural keys: `python -m tests.rows`."""

import json
import sys
from collections import defaultdict
from typing import Any

import django

OWN = {"id", "organization", "connection", "changed_at", "seen_by"}  # differ from run to run


def natural(row: Any) -> str:
    """What names a record at Bitbucket."""
    from ingestion.models import PullRequest

    if row is None:
        return ""
    if isinstance(row, PullRequest):
        return f"{row.repository.uuid}#{row.number}"
    return str(row.uuid)


def value(row: Any, field: Any) -> Any:
    if field.is_relation:
        return natural(getattr(row, field.name))
    return getattr(row, field.name)


def main() -> None:
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

    found: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    for model in (
        Person,
        Repository,
        PullRequest,
        Review,
        Event,
        Comment,
        PipelineRun,
        Step,
        Deployment,
        Commit,
    ):
        fields = [field for field in model._meta.concrete_fields if field.name not in OWN]
        relations = [field.name for field in fields if field.is_relation]
        nested = [f"{name}__repository" for name in relations if name in ("pull_request", "run")]
        for row in model.objects.select_related("organization", *relations, *nested):
            table = found[row.organization.name].setdefault(model.__name__, [])
            table.append({field.name: value(row, field) for field in fields})
    for tables in found.values():
        for rows in tables.values():
            rows.sort(key=lambda row: json.dumps(row, default=str, sort_keys=True))
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    django.setup()
    main()
