"""What people do to webhooks at Bitbucket itself. A webhook is named by its uuid."""

from __future__ import annotations

from typing import Any

from tests.sandbox.change.base import Changes, happens
from tests.sandbox.world import Hook, Repository, Workspace


class HookChanges(Changes):
    """Nobody is told of any of it."""

    @happens
    def edit_hook(self, hook: str, **values: Any) -> None:
        """Change it: active, events, url, secret."""
        found = self._hook(hook)[1]
        for name, value in values.items():
            if name not in ("active", "events", "url", "secret", "description"):
                raise KeyError(f"a webhook has no {name}")
            setattr(found, name, value)

    @happens
    def delete_hook(self, hook: str) -> None:
        """It is gone."""
        place, found = self._hook(hook)
        del place.hooks[found.uuid]

    def _hook(self, uuid: str) -> tuple[Workspace | Repository, Hook]:
        world = self.site.world
        for place in (*world.workspaces.values(), *world.repositories()):
            if uuid in place.hooks:
                return place, place.hooks[uuid]
        raise KeyError(f"no webhook {uuid}")
