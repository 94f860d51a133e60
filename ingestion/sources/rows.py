"""Rows as sources hand them over: plain values, cleaned, in the words of the records.

Identities are the provider's own: uuids and numbers. Who writes them finds our keys.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """An account, as a member of the workspace or as met on a record."""

    uuid: str
    account_id: str = ""
    name: str = ""
    nickname: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRow:
    """A repository as its listing shows it."""

    uuid: str
    name: str
    slug: str
    full_name: str
    project_key: str
    project_name: str
    is_private: bool | None
    language: str
    main_branch: str
    parent_uuid: str
    size: int | None
    web_url: str
    created_on: datetime | None
    updated_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Where somebody stands towards a pull request."""

    person: PersonRow
    role: str
    state: str
    is_approved: bool
    participated_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestRow:
    """A pull request. `participants` is None where the listing did not tell."""

    number: int
    title: str
    description: str
    state: str
    is_draft: bool
    author: PersonRow | None
    closed_by: PersonRow | None
    source_branch: str
    source_commit: str
    source_repository_uuid: str
    destination_branch: str
    destination_commit: str
    merge_commit: str
    close_source_branch: bool
    reason: str
    comment_count: int
    task_count: int
    web_url: str
    created_on: datetime | None
    updated_on: datetime
    participants: tuple[Participant, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An entry of the activity feed. `title` and `web_url` are of the pull request.

    `key` tells it from the other entries of its pull request: by nothing that can change.
    """

    pull_request: int
    kind: str
    happened_at: datetime
    person: PersonRow | None
    state: str = ""
    source_commit: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    comment_number: int | None = None
    title: str = ""
    web_url: str = ""
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self._key())

    def _key(self) -> str:
        if self.comment_number is not None:
            return f"comment:{self.comment_number}"
        micros = round(self.happened_at.timestamp() * 1_000_000)
        who = self.person.uuid if self.person else ""
        tail = f":{self.state}:{self.source_commit}" if self.kind == "update" else ""
        return f"{self.kind}:{micros}:{who}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRow:
    """A comment on a pull request."""

    pull_request: int
    number: int
    author: PersonRow | None
    content: str
    path: str
    line: int | None
    parent_number: int | None
    is_deleted: bool
    is_resolved: bool
    created_on: datetime | None
    updated_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow:
    """A run of a pipeline. `build_seconds` and `duration` are seconds."""

    uuid: str
    number: int
    run_number: int
    state: str
    result: str
    trigger: str
    creator: PersonRow | None
    target: str
    ref_name: str
    commit: str
    duration: int | None
    build_seconds: int | None
    created_on: datetime
    completed_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step of the run of this uuid. `build_seconds` and `duration` are seconds."""

    run: str
    uuid: str
    name: str
    run_number: int
    state: str
    result: str
    trigger: str
    duration: int | None
    build_seconds: int | None
    max_minutes: int | None
    started_on: datetime | None
    completed_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRow:
    """A release brought to an environment, by the step of a run."""

    uuid: str
    number: int | None
    environment_uuid: str
    environment: str
    environment_type: str
    state: str
    result: str
    release: str
    run_uuid: str
    step_uuid: str
    commit: str
    version: int | None
    created_on: datetime | None
    started_on: datetime | None
    completed_on: datetime | None
    updated_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRow:
    """A commit. `author_text` is empty where the author is an account."""

    hash: str
    author: PersonRow | None
    author_text: str
    message: str
    parents: tuple[str, ...]
    committed_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A record that cannot be a row: what it was, why not, and what it is a detail of."""

    key: str
    reason: str
    parent: str = ""


Row = (
    PersonRow
    | RepositoryRow
    | PullRequestRow
    | EventRow
    | CommentRow
    | PipelineRow
    | StepRow
    | DeploymentRow
    | CommitRow
    | RejectedRecord
)
