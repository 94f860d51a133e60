"""How Bitbucket Pipelines is entered: as Bitbucket Cloud, with fewer scopes, and never by consent.

An authorization would be the same account's that its parent may have: a token of its own has its
own requests, and reads nothing of pull requests.
"""

from collections.abc import Iterable
from dataclasses import replace

from connections.connectors.base import Method, Scope
from connections.connectors.bitbucket_cloud.methods import ACCESS_TOKEN, API_TOKEN, APP_PASSWORD

NEEDED = {
    "repository",
    "pipeline",
    "read:workspace:bitbucket",
    "read:repository:bitbucket",
    "read:pipeline:bitbucket",
    "read:user:bitbucket",
}


def _of(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    return tuple(scope for scope in scopes if scope.name in NEEDED)


def _narrowed(method: Method) -> Method:
    kinds = tuple(replace(kind, scopes=_of(kind.scopes), never=()) for kind in method.kinds)
    return replace(method, scopes=_of(method.scopes), kinds=kinds)


METHODS = (_narrowed(ACCESS_TOKEN), _narrowed(API_TOKEN), APP_PASSWORD)
