"""Rows of sources as values in the order of their table's columns."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ingestion.sources.rows import (
    CommentRow,
    CommitRow,
    DeploymentRow,
    EventRow,
    PersonRow,
    PipelineRow,
    PullRequestRow,
    RepositoryRow,
    StepRow,
)
from ingestion.writer.people import People
from ingestion.writer.store import Values


def people_in(found: Mapping[type, list[tuple[Any, Any]]]) -> Iterator[PersonRow | None]:
    """Everybody who is met on records; members are written by their own listing."""
    for _, row in found.get(PullRequestRow, ()):
        yield row.author
        yield row.closed_by
        for participant in row.participants or ():
            yield participant.person
    for _, row in found.get(EventRow, ()):
        yield row.person
    for _, row in found.get(CommentRow, ()):
        yield row.author
    for _, row in found.get(PipelineRow, ()):
        yield row.creator
    for _, row in found.get(CommitRow, ()):
        yield row.author


def repository(row: RepositoryRow, is_selected: bool) -> Values:
    return (
        row.uuid,
        row.name,
        row.slug,
        row.full_name,
        row.project_key,
        row.project_name,
        row.is_private,
        row.language,
        row.main_branch,
        row.parent_uuid,
        row.size,
        row.web_url,
        row.created_on,
        row.updated_on,
        is_selected,
    )


def pull_request(row: PullRequestRow, people: People) -> Values:
    return (
        row.number,
        row.title,
        row.description,
        row.state,
        row.is_draft,
        people.key(row.author),
        people.key(row.closed_by),
        row.source_branch,
        row.source_commit,
        row.source_repository_uuid,
        row.destination_branch,
        row.destination_commit,
        row.merge_commit,
        row.close_source_branch,
        row.reason,
        row.comment_count,
        row.task_count,
        row.web_url,
        row.created_on,
        row.updated_on,
        row.updated_on,  # due_for
    )


def event(row: EventRow, people: People, known: Mapping[int, str]) -> Values:
    """`known` holds the stored keys of events whose person is nobody by now."""
    return (
        known.get(id(row)) or row.key,
        row.kind,
        row.happened_at,
        people.key(row.person),
        row.state,
        row.source_commit,
        json.dumps(row.changes, sort_keys=True) if row.changes else "{}",
        row.comment_number,
    )


def comment(row: CommentRow, people: People) -> Values:
    return (
        row.number,
        people.key(row.author),
        row.content,
        row.path,
        row.line,
        row.parent_number,
        row.is_deleted,
        row.is_resolved,
        row.created_on,
        row.updated_on,
    )


def pipeline(row: PipelineRow, people: People) -> Values:
    return (
        row.uuid,
        row.number,
        row.run_number,
        row.state,
        row.result,
        row.trigger,
        people.key(row.creator),
        row.target,
        row.ref_name,
        row.commit,
        row.duration,
        row.build_seconds,
        row.created_on,
        row.completed_on,
    )


def step(row: StepRow) -> Values:
    return (
        row.uuid,
        row.name,
        row.run_number,
        row.state,
        row.result,
        row.trigger,
        row.duration,
        row.build_seconds,
        row.max_minutes,
        row.started_on,
        row.completed_on,
    )


def deployment(row: DeploymentRow) -> Values:
    return (
        row.uuid,
        row.number,
        row.environment_uuid,
        row.environment,
        row.environment_type,
        row.state,
        row.result,
        row.release,
        row.run_uuid,
        row.step_uuid,
        row.commit,
        row.version,
        row.created_on,
        row.started_on,
        row.completed_on,
        row.updated_on,
    )


def commit(row: CommitRow, people: People) -> Values:
    return (
        row.hash,
        people.key(row.author),
        row.author_text,
        row.message,
        json.dumps(row.parents),
        row.committed_on,
    )
