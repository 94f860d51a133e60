"""Repositories and branches."""

from __future__ import annotations

from tests.sandbox.answers import Answer, error, no_workspace
from tests.sandbox.paging import last
from tests.sandbox.routes.call import Call, Endpoint, reading
from tests.sandbox.shapes import repositories as shapes

FIELDS = {
    "uuid": lambda repo: repo.uuid,
    "name": lambda repo: repo.name,
    "slug": lambda repo: repo.slug,
    "full_name": lambda repo: repo.full_name,
    "language": lambda repo: repo.language,
    "size": lambda repo: repo.size,
    "is_private": lambda repo: True,
    "project.key": lambda repo: repo.project.key,
    "created_on": lambda repo: repo.created_on,
    "updated_on": lambda repo: repo.updated_on,
}


def repositories(call: Call) -> Answer:
    """The repositories of a workspace that the credential sees; 200 and nothing for a stranger.

    Nothing for a repository token either, though it sees one.
    """
    token, place = call.token, call.site.world.workspace(call.names[0])
    role = last(call.pairs, "role")
    if place is None and token is not None:
        return no_workspace(call.names[0])
    if place is None or token is None or token.kind == "repository" or _is_too_low(call, role):
        return call.page([], lambda one: one)
    rows = call.site.listings.select(
        ("repositories", id(place), token.secret),
        lambda: [repo for repo in place.repositories.values() if token.reaches(repo)],
        FIELDS,
        last(call.pairs, "q") or "",
        last(call.pairs, "sort") or "created_on",
    )
    return call.page(rows, call.render(shapes.repository))


def _is_too_low(call: Call, role: str | None) -> bool:
    place = call.site.world.workspace(call.names[0])
    if role not in ("admin", "owner") or place is None or call.token is None:
        return False
    return call.token.permission_in(place) != "owner"


def repository(call: Call) -> Answer:
    """One repository."""
    return call.one(shapes.repository, call.repository())


def branches(call: Call) -> Answer:
    """The branches, by name."""
    repo = call.repository()
    fields = {
        "name": lambda name: name,
        "target.date": lambda name: repo.commits[repo.branches[name]].date,
        "target.hash": lambda name: repo.branches[name],
    }
    query, sort = last(call.pairs, "q") or "", last(call.pairs, "sort") or "name"
    owner = ("branches", id(repo))
    rows = call.site.listings.select(owner, lambda: repo.branches, fields, query, sort)
    return call.page(rows, call.render(shapes.branch, repo))


def branch(call: Call) -> Answer:
    """One branch with its tip."""
    repo, name = call.repository(), call.names[2]
    if name not in repo.branches:
        return error(404, f"No such branch: {name}")
    return call.one(shapes.branch, repo, name)


def source(call: Call) -> Answer:
    """Source code: answered, and counted apart, since nobody should ask."""
    call.repository()
    return Answer(200, b"source code\n", "text/plain")


REPOSITORY = "/repositories/{workspace}/{repository}"
SOURCE = ("src", "diff", "patch", "diffstat", "downloads", "filehistory")
ENDPOINTS = (
    Endpoint("/repositories/{workspace}", repositories, **reading("repository")),
    Endpoint(REPOSITORY, repository, **reading("repository")),
    Endpoint(f"{REPOSITORY}/refs/branches", branches, **reading("repository")),
    Endpoint(f"{REPOSITORY}/refs/branches/{{name}}", branch, **reading("repository")),
    *(Endpoint(f"{REPOSITORY}/{name}", source, **reading("repository")) for name in SOURCE),
    *(
        Endpoint(f"{REPOSITORY}/{name}/{{rest}}", source, **reading("repository"))
        for name in SOURCE
    ),
)
