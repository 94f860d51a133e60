"""What the simulated Bitbucket holds: plain dataclasses, the truth that tests compare with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tests.sandbox.builds import Deployment, Environment, Pipeline
from tests.sandbox.people import Person

ActivityKind = Literal["update", "comment", "approval", "changes_requested"]


@dataclass(slots=True, eq=False)
class Project:
    """A folder of repositories in a workspace."""

    uuid: str
    key: str
    name: str
    created_on: datetime


@dataclass(slots=True, eq=False)
class Membership:
    """A person in a workspace; `permission` is "owner" or "member"."""

    person: Person
    permission: str


@dataclass(slots=True, eq=False)
class Inline:
    """Where in a file a comment is anchored."""

    path: str
    from_line: int | None
    to_line: int | None


@dataclass(slots=True, eq=False)
class Comment:
    """A comment on a pull request. A deleted one keeps its row; `vanished` ones leave the feed."""

    id: int
    user: Person | None
    raw: str
    created_on: datetime
    updated_on: datetime
    parent_id: int | None = None
    inline: Inline | None = None
    deleted: bool = False
    vanished: bool = False
    pending: bool = False
    resolved_by: Person | None = None
    resolved_on: datetime | None = None


@dataclass(slots=True, eq=False)
class Activity:
    """One entry of a pull request's history. `sequence` is ours; Bitbucket shows no id."""

    sequence: int
    kind: ActivityKind
    date: datetime
    person: Person | None
    pull_request: PullRequest
    comment: Comment | None = None
    state: str = ""
    title: str = ""
    source_hash: str = ""
    destination_hash: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Participant:
    """Somebody's part in a pull request; `state` is approved, changes_requested or None."""

    person: Person
    role: str
    approved: bool = False
    state: str | None = None
    participated_on: datetime | None = None


@dataclass(slots=True, eq=False)
class PullRequest:
    """A pull request. Hashes are whole here; answers show twelve characters of them."""

    id: int
    repository: Repository
    title: str
    description: str
    state: str
    author: Person | None
    created_on: datetime
    updated_on: datetime
    source_branch: str
    source_hash: str
    destination_branch: str
    destination_hash: str
    source_repository: Repository | None
    draft: bool = False
    merge_hash: str | None = None
    closed_by: Person | None = None
    reason: str = ""
    task_count: int = 0
    close_source_branch: bool = True
    source_branch_gone: bool = False
    reviewers: list[Person] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)

    @property
    def comment_count(self) -> int:
        """Comments that are not deleted."""
        return sum(not comment.deleted for comment in self.comments)


@dataclass(slots=True, eq=False)
class Commit:
    """A commit. `user` is None where the e-mail belongs to no account."""

    hash: str
    date: datetime
    raw_author: str
    user: Person | None
    message: str
    parents: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Hook:
    """A webhook subscription."""

    uuid: str
    url: str
    description: str
    events: list[str]
    created_at: datetime
    active: bool = True
    secret: str = ""


@dataclass(slots=True, eq=False)
class Repository:
    """A repository. An empty one has no main branch. `refused_with` makes its children refuse."""

    uuid: str
    slug: str
    name: str
    workspace: Workspace
    project: Project
    created_on: datetime
    updated_on: datetime
    mainbranch: str | None = "main"
    parent: Repository | None = None
    language: str = "python"
    size: int = 0
    description: str = ""
    refused_with: int | None = None
    pull_requests: dict[int, PullRequest] = field(default_factory=dict)
    feed: list[Activity] = field(default_factory=list)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    environments: list[Environment] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    hooks: dict[str, Hook] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The name that Bitbucket builds paths from."""
        return f"{self.workspace.slug}/{self.slug}"


@dataclass(slots=True, eq=False)
class Workspace:
    """A workspace: members by uuid, projects by key, repositories by slug."""

    uuid: str
    slug: str
    name: str
    created_on: datetime
    members: dict[str, Membership] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)

    def permission_of(self, person: Person | None) -> str | None:
        """What this person is here: "owner", "member" or nothing."""
        membership = self.members.get(person.uuid) if person else None
        return membership.permission if membership else None


@dataclass(slots=True, eq=False)
class World:
    """Everything, with the look-ups that take a slug or a uuid."""

    workspaces: dict[str, Workspace] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    next_comment_id: int = 400_000_001
    next_sequence: int = 1

    def workspace(self, name: str) -> Workspace | None:
        """By slug or by {uuid}."""
        if name.startswith("{"):
            return next((w for w in self.workspaces.values() if w.uuid == name), None)
        return self.workspaces.get(name)

    def repository(self, workspace: str, name: str) -> Repository | None:
        """By slug or {uuid} on either place; {} as workspace means whichever holds the uuid."""
        if workspace == "{}":
            return next((r for r in self.repositories() if r.uuid == name), None)
        place = self.workspace(workspace)
        if place is None:
            return None
        if name.startswith("{"):
            return next((r for r in place.repositories.values() if r.uuid == name), None)
        return place.repositories.get(name)

    def repositories(self) -> Iterator[Repository]:
        """All repositories of all workspaces."""
        for workspace in self.workspaces.values():
            yield from workspace.repositories.values()

    def persona(self, name: str) -> Person:
        """One of the people who can sign in: ada, ben, olga."""
        return next(p for p in self.people.values() if p.persona == name)

    def person_by_email(self, email: str) -> Person | None:
        """The account with this e-mail address."""
        return next((p for p in self.people.values() if p.email == email), None)

    def take_comment_id(self) -> int:
        """The next comment id; they grow over the whole of Bitbucket."""
        self.next_comment_id += 1
        return self.next_comment_id

    def take_sequence(self) -> int:
        """The next number of an activity entry."""
        self.next_sequence += 1
        return self.next_sequence
