"""Which scope brings which others with it.

Only classic ones do, granular ones never: https://developer.atlassian.com/cloud/bitbucket/rest/intro/
"""

from collections.abc import Collection, Iterable

from connections.connectors.declarations import Method

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
    granted: Iterable[str], method: Method, kind: str, streams: Collection[str]
) -> tuple[str, ...]:
    """The granted scopes that nothing needs, by what the method asks for with these streams."""
    needed = with_implied(
        scope.name
        for scope in method.scopes_of(kind)
        if scope.optional or not scope.streams or not streams or set(scope.streams) & set(streams)
    )
    if method.by_consent:  # a consumer's scopes are fixed, and it may serve sign-in too
        needed += ("email",)
    return tuple(scope for scope in dict.fromkeys(granted) if scope not in needed)
