"""Which scope brings which others with it.

Only classic ones do, granular ones never: https://developer.atlassian.com/cloud/bitbucket/rest/intro/
"""

from collections.abc import Collection, Iterable

from connections.connectors.declarations import Scope

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


def needless(
    granted: Iterable[str], asked_for: Iterable[Scope], streams: Collection[str]
) -> tuple[str, ...]:
    """The granted scopes that nothing needs: `asked_for` names those that these streams do."""
    needed = with_implied(
        scope.name
        for scope in asked_for
        if scope.optional or not scope.streams or not streams or set(scope.streams) & set(streams)
    )
    return tuple(scope for scope in dict.fromkeys(granted) if scope not in needed)
