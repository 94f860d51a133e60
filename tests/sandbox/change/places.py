"""Workspaces, repositories and people that come, go and change their names."""

from __future__ import annotations

from tests.sandbox.change.base import Changes, happens
from tests.sandbox.generation.commits import add_commit
from tests.sandbox.generation.repositories import new_repository
from tests.sandbox.people import Person
from tests.sandbox.world import Membership, Repository


class PlaceChanges(Changes):
    """Uuids stay; slugs and names do not."""

    @happens
    def rename_workspace(self, workspace: str, slug: str, *, name: str | None = None) -> None:
        """It answers under the new slug only."""
        place = self._workspace(workspace)
        if self.site.world.workspaces.get(slug, place) is not place:
            raise KeyError(f"there is a workspace {slug} already")
        del self.site.world.workspaces[place.slug]
        place.slug, place.name = slug, name or place.name
        self.site.world.workspaces[slug] = place

    @happens
    def delete_workspace(self, workspace: str) -> None:
        """It is gone."""
        del self.site.world.workspaces[self._workspace(workspace).slug]

    @happens
    def rename_repository(
        self, workspace: str, repository: str, slug: str, *, name: str | None = None
    ) -> None:
        """It answers under the new slug only."""
        repo = self._repository(workspace, repository)
        del repo.workspace.repositories[repo.slug]
        before = repo.full_name
        repo.slug, repo.name, repo.updated_on = slug, name or slug, self._now()
        repo.workspace.repositories[slug] = repo
        renamed = {"full_name": {"old": before, "new": repo.full_name}}
        self._tell("repo:updated", repo, "ada", changes=lambda places: renamed)

    @happens
    def new_repository(self, workspace: str, slug: str) -> Repository:
        """A repository with one commit."""
        place, now = self._workspace(workspace), self._now()
        repo = new_repository(place, self._draw(), slug, len(place.repositories), now)
        repo.created_on = repo.updated_on = now
        self._tell("repo:created", repo, "ada")
        return repo

    @happens
    def delete_repository(self, workspace: str, repository: str) -> None:
        """It is gone; forks of it lose their parent."""
        gone = self._repository(workspace, repository)
        del gone.workspace.repositories[gone.slug]
        for repo in self.site.world.repositories():
            repo.parent = None if repo.parent is gone else repo.parent
        self._tell("repo:deleted", gone, "ada")

    @happens
    def refuse_repository(self, workspace: str, repository: str, *, status: int = 403) -> None:
        """It stays in the listing, but everything below it is refused."""
        self._repository(workspace, repository).refused_with = status

    @happens
    def allow_repository(self, workspace: str, repository: str) -> None:
        """It answers again."""
        self._repository(workspace, repository).refused_with = None

    @happens
    def push_main(self, workspace: str, repository: str, *, person: str = "ben") -> str:
        """A commit straight onto the main branch; its hash."""
        repo, now = self._repository(workspace, repository), self._now()
        parents = (repo.branches["main"],)
        who = self._person(person)
        commit = add_commit(repo, self._draw(), who, now, "Straight to main", parents)
        repo.branches["main"], repo.updated_on = commit.hash, now
        self._pushed(repo, who, "main", parents[0], commit.hash)
        return commit.hash

    @happens
    def force_push_main(self, workspace: str, repository: str) -> str:
        """The newest commit of the main branch is dropped; the hash of the one before."""
        repo = self._repository(workspace, repository)
        dropped = repo.branches["main"]
        parents = repo.commits[dropped].parents
        if not parents:
            raise KeyError("the main branch has one commit only")
        repo.branches["main"], repo.updated_on = parents[0], self._now()
        self._pushed(repo, "ada", "main", dropped, parents[0])
        return parents[0]

    @happens
    def push_branch(self, workspace: str, repository: str, branch: str, *, count: int = 1) -> str:
        """Commits onto a branch, which begins at the main one; the hash of the last."""
        repo, now, draw = self._repository(workspace, repository), self._now(), self._draw()
        before = repo.branches.get(branch)
        tip = before or repo.branches["main"]
        for number in range(count):
            tip = add_commit(repo, draw, None, now, f"Change {number}", (tip,)).hash
        repo.branches[branch], repo.updated_on = tip, now
        self._pushed(repo, "ada", branch, before, tip)
        return tip

    @happens
    def merge_branch(self, workspace: str, repository: str, branch: str) -> str:
        """It goes into the main branch, and is gone; the hash of the merge."""
        repo, now = self._repository(workspace, repository), self._now()
        parents = (repo.branches["main"], repo.branches.pop(branch))
        merge = add_commit(repo, self._draw(), None, now, f"Merge {branch}", parents)
        repo.branches["main"], repo.updated_on = merge.hash, now
        self._pushed(repo, "ada", "main", parents[0], merge.hash)
        return merge.hash

    @happens
    def forget_commit(self, workspace: str, repository: str, commit: str) -> None:
        """Garbage was collected: the hash is unknown."""
        del self._repository(workspace, repository).commits[commit]

    @happens
    def delete_branch(self, workspace: str, repository: str, branch: str) -> None:
        """The branch is gone; its pull request lists no commits any more."""
        repo = self._repository(workspace, repository)
        tip = repo.branches.pop(branch)
        for one in repo.pull_requests.values():
            one.source_branch_gone |= one.source_branch == branch
        self._pushed(repo, "ada", branch, tip, None)

    @happens
    def rename_person(self, person: str, display_name: str) -> Person:
        """The same account under another name."""
        who = self._person(person)
        who.display_name, who.nickname = display_name, display_name.split()[0].lower()
        return who

    @happens
    def add_person(self, workspace: str, person: str) -> None:
        """Somebody joins a workspace."""
        who = self._person(person)
        self._workspace(workspace).members[who.uuid] = Membership(who, "member")

    @happens
    def remove_person(self, workspace: str, person: str) -> None:
        """Somebody leaves a workspace; what they wrote stays."""
        del self._workspace(workspace).members[self._person(person).uuid]
