"""What all changes share: the lock, the clock, and finding the thing by its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Any, TypeVar, cast

import orjson

from tests.sandbox.generation.draw import Draw
from tests.sandbox.people import Person
from tests.sandbox.shapes import hooks as shapes
from tests.sandbox.shapes.places import Json, Places
from tests.sandbox.site import Site
from tests.sandbox.world import PullRequest, Repository, Workspace

Part = Callable[[Places], Json]
Method = TypeVar("Method", bound=Callable[..., Any])


def happens(method: Method) -> Method:
    """Run under the site's lock, and forget what was rendered before."""

    @wraps(method)
    def locked(self: Changes, *args: Any, **kwargs: Any) -> Any:
        with self.site.lock:
            try:
                return method(self, *args, **kwargs)
            finally:
                self.site.changed()

    return cast(Method, locked)


class Changes:
    """The base of the groups of changes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._draws = 0

    def _tell(
        self, event: str, repo: Repository, actor: Person | str | None, **parts: Part
    ) -> None:
        """Tell the webhooks that are subscribed to an event of a repository. `parts` make the
        rest of the body, where somebody listens. Who did it is Ada where nobody else is known.
        """
        kept = (*repo.workspace.hooks.values(), *repo.hooks.values())
        listening = [one for one in kept if one.active and event in one.events]
        if not listening:
            return
        places = self.site.renderer.places
        who = self._person(actor) if isinstance(actor, str) else actor
        told = {name: make(places) for name, make in parts.items()}
        body = orjson.dumps(shapes.event(places, repo, who, **told))
        for hook in listening:
            self.site.deliveries.add(hook, event, body)

    def _pushed(
        self,
        repo: Repository,
        actor: Person | str | None,
        branch: str,
        old: str | None,
        new: str | None,
    ) -> None:
        """Tell of a branch that moved from one hash to another; None: it was, or is, not there."""
        make = partial(shapes.push, repo=repo, branch=branch, old=old, new=new)
        self._tell("repo:push", repo, actor, push=make)

    def _now(self) -> datetime:
        return self.site.clock.stamp()

    def _draw(self) -> Draw:
        self._draws += 1
        return Draw(f"change-{self.site.seed}-{self._draws}")

    def _workspace(self, workspace: str) -> Workspace:
        found = self.site.world.workspace(workspace)
        if found is None:
            raise KeyError(f"no workspace {workspace}")
        return found

    def _repository(self, workspace: str, repository: str) -> Repository:
        found = self.site.world.repository(workspace, repository)
        if found is None:
            raise KeyError(f"no repository {workspace}/{repository}")
        return found

    def _pull_request(self, workspace: str, repository: str, number: int) -> PullRequest:
        found = self._repository(workspace, repository).pull_requests.get(number)
        if found is None:
            raise KeyError(f"no pull request {workspace}/{repository}#{number}")
        return found

    def _person(self, name: str) -> Person:
        for person in self.site.world.people.values():
            if name in (person.persona, person.email, person.nickname, person.uuid):
                return person
        raise KeyError(f"nobody is called {name}")
