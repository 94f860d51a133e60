"""People at work on pull requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from tests.sandbox.change.base import Changes, happens
from tests.sandbox.generation.commits import add_commit
from tests.sandbox.generation.discussions import (
    approve,
    participant,
    record,
    remove_comment,
    request_changes,
    write_comment,
)
from tests.sandbox.people import Person
from tests.sandbox.shapes.hooks import verdict
from tests.sandbox.shapes.places import Json, Places
from tests.sandbox.shapes.pull_requests import comment as shape_of_comment
from tests.sandbox.shapes.pull_requests import whole
from tests.sandbox.world import Activity, Comment, PullRequest, Repository


class PullRequestChanges(Changes):
    """Each moves the pull request's `updated_on`, as the real one does."""

    @happens
    def pull_request(
        self, workspace: str, repository: str, number: int, **values: Any
    ) -> PullRequest:
        """Edit it: title, description, draft, reason, task_count, updated_on…"""
        one = self._pull_request(workspace, repository, number)
        for name, value in values.items():
            if name.startswith("_") or not hasattr(one, name):
                raise KeyError(f"a pull request has no {name}")
            setattr(one, name, value)
        if "updated_on" not in values:
            self._update(one)
        self._told("updated", one, one.author)
        return one

    @happens
    def new_pull_request(
        self,
        workspace: str,
        repository: str,
        *,
        title: str = "One more change",
        person: str = "ben",
        created_on: datetime | None = None,
    ) -> PullRequest:
        """Open one with one commit."""
        repo, now = self._repository(workspace, repository), created_on or self._now()
        if not repo.branches:
            raise KeyError(f"{workspace}/{repository} is empty")
        number, main = max(repo.pull_requests, default=0) + 1, repo.branches["main"]
        author = self._person(person)
        commit = add_commit(repo, self._draw(), author, now, title, (main,))
        one = PullRequest(
            id=number,
            repository=repo,
            title=title,
            description="",
            state="OPEN",
            author=author,
            created_on=now,
            updated_on=now,
            source_branch=f"feature/{number}",
            source_hash=commit.hash,
            destination_branch="main",
            destination_hash=main,
            source_repository=repo,
            commits=[commit.hash],
        )
        repo.pull_requests[number] = one
        repo.branches[one.source_branch] = commit.hash
        self._update(one, now)
        self._pushed(repo, author, one.source_branch, None, commit.hash)
        self._told("created", one, author)
        return one

    @happens
    def delete_pull_request(self, workspace: str, repository: str, number: int) -> None:
        """It is gone, with its history."""
        one = self._pull_request(workspace, repository, number)
        repo = one.repository
        del repo.pull_requests[number]
        repo.feed = [entry for entry in repo.feed if entry.pull_request is not one]

    @happens
    def lose_entry(self, workspace: str, repository: str, number: int) -> Activity:
        """The newest entry of its history that is no comment leaves it without a trace."""
        one = self._pull_request(workspace, repository, number)
        entry = next(e for e in reversed(one.activity) if not e.comment)
        one.activity.remove(entry)
        one.repository.feed.remove(entry)
        return entry

    @happens
    def comment(
        self,
        workspace: str,
        repository: str,
        number: int,
        *,
        raw: str = "One more thing.",
        person: str = "ben",
        parent_id: int | None = None,
    ) -> Comment:
        """Write a comment."""
        one, now = self._pull_request(workspace, repository, number), self._now()
        said = write_comment(self.site.world, one, self._person(person), raw, now)
        said.parent_id = parent_id
        self._happened(one, one.activity[-1])
        self._commented("created", one, said, said.user)
        return said

    @happens
    def edit_comment(
        self, workspace: str, repository: str, number: int, comment_id: int, *, raw: str
    ) -> Comment:
        """Change what a comment says."""
        one = self._pull_request(workspace, repository, number)
        said = _comment(one, comment_id)
        said.raw, said.updated_on = raw, self._now()
        one.updated_on = said.updated_on
        self._commented("updated", one, said, said.user)
        return said

    @happens
    def delete_comment(
        self,
        workspace: str,
        repository: str,
        number: int,
        comment_id: int | None = None,
        *,
        vanish: bool = False,
    ) -> Comment:
        """Delete a comment, the newest unless told; `vanish` takes it out of the feed."""
        one = self._pull_request(workspace, repository, number)
        said = _comment(one, comment_id)
        remove_comment(said, vanish=vanish)
        said.updated_on = one.updated_on = self._now()
        self._commented("deleted", one, said, said.user)
        return said

    @happens
    def approve(self, workspace: str, repository: str, number: int, *, person: str = "ada") -> None:
        """Approve it."""
        one = self._pull_request(workspace, repository, number)
        approve(self.site.world, one, self._person(person), self._now())
        self._happened(one, one.activity[-1])
        self._judged("approved", "approval", one, self._person(person))

    @happens
    def unapprove(
        self, workspace: str, repository: str, number: int, *, person: str = "ada"
    ) -> None:
        """Withdraw approval or request for changes: their entries leave the feed without trace."""
        one, who = self._pull_request(workspace, repository, number), self._person(person)
        part = participant(one, who)
        was_approved = part.approved
        part.approved, part.state = False, None
        kinds = ("approval", "changes_requested")
        gone = [e for e in one.activity if e.person is who and e.kind in kinds]
        one.activity = [entry for entry in one.activity if entry not in gone]
        repo = one.repository
        repo.feed = [entry for entry in repo.feed if entry not in gone]
        one.updated_on = self._now()
        if was_approved:
            self._judged("unapproved", "approval", one, who)
        else:
            self._judged("changes_request_removed", "changes_request", one, who)

    @happens
    def request_changes(
        self, workspace: str, repository: str, number: int, *, person: str = "ada"
    ) -> None:
        """Ask for changes."""
        one = self._pull_request(workspace, repository, number)
        request_changes(self.site.world, one, self._person(person), self._now())
        self._happened(one, one.activity[-1])
        self._judged("changes_request_created", "changes_request", one, self._person(person))

    @happens
    def push(self, workspace: str, repository: str, number: int, *, person: str = "ben") -> str:
        """One more commit on the source branch; its hash."""
        one, now = self._pull_request(workspace, repository, number), self._now()
        repo, who = one.repository, self._person(person)
        commit = add_commit(repo, self._draw(), who, now, one.title, (one.source_hash,))
        one.commits.append(commit.hash)
        before, one.source_hash = one.source_hash, commit.hash
        repo.branches[one.source_branch] = commit.hash
        self._update(one, now)
        self._pushed(repo, who, one.source_branch, before, commit.hash)
        self._told("push", one, who)
        return commit.hash

    @happens
    def merge(self, workspace: str, repository: str, number: int, *, person: str = "ada") -> None:
        """Merge it into the main branch."""
        one, now = self._pull_request(workspace, repository, number), self._now()
        repo = one.repository
        parents = (repo.branches["main"], one.source_hash)
        who = self._person(person)
        commit = add_commit(repo, self._draw(), who, now, f"Merged in {one.source_branch}", parents)
        one.merge_hash = repo.branches["main"] = commit.hash
        self._close(one, "MERGED", person, now)
        self._pushed(repo, who, "main", parents[0], commit.hash)
        self._told("fulfilled", one, who)

    @happens
    def decline(
        self, workspace: str, repository: str, number: int, *, person: str = "ada", reason: str = ""
    ) -> None:
        """Refuse it."""
        one = self._pull_request(workspace, repository, number)
        one.reason = reason
        self._close(one, "DECLINED", person, self._now())
        self._told("rejected", one, one.closed_by)

    @happens
    def delete_fork(self, workspace: str, repository: str, number: int) -> None:
        """The source repository is gone; `updated_on` does not move."""
        self._pull_request(workspace, repository, number).source_repository = None

    def _close(self, one: PullRequest, state: str, person: str, now: datetime) -> None:
        one.state, one.closed_by = state, self._person(person)
        one.repository.branches.pop(one.source_branch, None)
        self._update(one, now)

    def _update(self, one: PullRequest, now: datetime | None = None) -> None:
        who = one.author if one.state == "OPEN" else one.closed_by
        entry = record(self.site.world, one, "update", who, now or self._now())
        entry.state, entry.title = one.state, one.title
        entry.source_hash, entry.destination_hash = one.source_hash, one.destination_hash
        self._happened(one, entry)

    def _happened(self, one: PullRequest, entry: Activity) -> None:
        repo: Repository = one.repository
        repo.feed.append(entry)
        one.updated_on = entry.date

    def _told(
        self,
        event: str,
        one: PullRequest,
        actor: Person | None,
        **parts: Callable[[Places], Json],
    ) -> None:
        parts = {"pullrequest": lambda places: whole(places, one), **parts}
        self._tell(f"pullrequest:{event}", one.repository, actor, **parts)

    def _commented(self, what: str, one: PullRequest, said: Comment, by: Person | None) -> None:
        shape = partial(shape_of_comment, one=one, said=said)
        self._told(f"comment_{what}", one, by, comment=shape)

    def _judged(self, event: str, kind: str, one: PullRequest, who: Person) -> None:
        shape = partial(verdict, who=who, date=one.updated_on)
        self._told(event, one, who, **{kind: shape})


def _comment(one: PullRequest, comment_id: int | None) -> Comment:
    for said in reversed(one.comments):
        if comment_id == said.id or (comment_id is None and not said.deleted):
            return said
    raise KeyError(f"no comment {comment_id} on #{one.id}")
