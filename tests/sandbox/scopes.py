"""Which scope implies which. Classic ones imply; granular ones (API tokens) never do."""

from __future__ import annotations

from collections.abc import Iterable

IMPLIED = {
    "project": ("repository",),
    "project:write": ("project", "repository:write"),
    "pullrequest": ("repository",),
    "pullrequest:write": ("pullrequest", "repository:write"),
    "repository:write": ("repository",),
    "account:write": ("account",),
    "pipeline:write": ("pipeline",),
    "pipeline:variable": ("pipeline",),
    "runner:write": ("runner",),
}
GRANULAR = {
    "account": "read:workspace:bitbucket",
    "repository": "read:repository:bitbucket",
    "pullrequest": "read:pullrequest:bitbucket",
    "project": "read:project:bitbucket",
    "pipeline": "read:pipeline:bitbucket",
    "webhook": "read:webhook:bitbucket",
}
READ_ALL = ["account", "repository", "pullrequest", "project", "pipeline", "webhook"]
READ_ALL_GRANULAR = [
    "read:user:bitbucket",
    "read:workspace:bitbucket",
    "read:project:bitbucket",
    "read:repository:bitbucket",
    "read:pullrequest:bitbucket",
    "read:pipeline:bitbucket",
    "read:webhook:bitbucket",
]


def covered(granted: Iterable[str]) -> set[str]:
    """The granted scopes with everything that they imply."""
    found: set[str] = set()
    waiting = list(granted)
    while waiting:
        scope = waiting.pop()
        if scope not in found:
            found.add(scope)
            waiting.extend(IMPLIED.get(scope, ()))
    return found
