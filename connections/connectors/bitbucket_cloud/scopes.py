"""Which scope brings which others with it.

Only classic ones do, granular ones never: https://developer.atlassian.com/cloud/bitbucket/rest/intro/
"""

from collections.abc import Iterable

IMPLIED = {
    "project": ("repository",),
    "project:write": ("project", "repository:write"),
    "repository:write": ("repository",),
    "pullrequest": ("repository",),
    "pullrequest:write": ("pullrequest", "repository:write"),
    "account:write": ("account",),
    "pipeline:write": ("pipeline",),
    "pipeline:variable": ("pipeline",),
}


def with_implied(granted: Iterable[str]) -> tuple[str, ...]:
    """The granted scopes, then those that they imply, each once."""
    found = list(dict.fromkeys(granted))
    for scope in found:  # grows while it is read
        found += [other for other in IMPLIED.get(scope, ()) if other not in found]
    return tuple(found)
