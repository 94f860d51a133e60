"""Things that happen in the simulated Bitbucket while somebody copies it."""

from __future__ import annotations

from tests.sandbox.change.access import AccessChanges
from tests.sandbox.change.builds import BuildChanges
from tests.sandbox.change.hooks import HookChanges
from tests.sandbox.change.places import PlaceChanges
from tests.sandbox.change.pull_requests import PullRequestChanges


class Change(PullRequestChanges, BuildChanges, PlaceChanges, AccessChanges, HookChanges):
    """Every method changes the world and stamps what it touches with the sandbox's now.

    Workspaces and repositories are named by slug, people by e-mail, nickname or persona.
    """


ACTIONS = tuple(name for name in dir(Change) if not name.startswith("_") and name != "site")
"""The names of all changes, which the control API offers too."""

__all__ = ["ACTIONS", "Change"]
