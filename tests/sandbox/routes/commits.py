"""Commits: what is reachable from some and not from others."""

from __future__ import annotations

from tests.sandbox.answers import Answer, Refused, error
from tests.sandbox.paging import every, iterated, last, offset, seal
from tests.sandbox.routes.call import Call, Endpoint, reading
from tests.sandbox.shapes import repositories as shapes
from tests.sandbox.world import Commit, Repository

Wanted = tuple[tuple[str, ...], tuple[str, ...]]


def commits(call: Call) -> Answer:
    """Newest first over all branches, or what include/exclude (query or form) leave; of one second,
    none before what was made upon it.
    """
    repo = call.repository()
    wanted, name = _wanted(call, repo)
    rows = call.site.listings.kept(("commits", id(repo), wanted), lambda: _select(repo, wanted))
    start = offset(call.pairs, "page")
    return iterated(
        call.base,
        [(key, value) for key, value in call.pairs if key in ("pagelen", "fields")]
        + [("ctx", name)],
        rows,
        call.render(shapes.commit, repo),
        start=start,
        cursor=lambda commit: seal(start + _length(call)),
        parameter="page",
        default=30,
    )


def _length(call: Call) -> int:
    return int(last(call.pairs, "pagelen") or 30)


def _wanted(call: Call, repo: Repository) -> tuple[Wanted, str]:
    """What the client asks for, kept under an opaque name for the following pages."""
    context = last(call.pairs, "ctx")
    if context is not None:
        if context not in call.site.contexts:
            raise Refused(error(400, "Invalid ctx"))
        return call.site.contexts[context], context
    pairs = call.pairs + call.form
    include = every(pairs, "include") + list(call.names[2:])
    exclude = every(pairs, "exclude")
    wanted = (tuple(_resolve(repo, include)), tuple(_resolve(repo, exclude)))
    name = seal("commits", len(call.site.contexts))
    call.site.contexts[name] = wanted
    return wanted, name


def _resolve(repo: Repository, names: list[str]) -> list[str]:
    found: list[str] = []
    unknown: list[str] = []
    for name in names:
        hash_ = repo.branches.get(name) or _by_prefix(repo, name)
        (found if hash_ else unknown).append(hash_ or name)
    if unknown:
        raise Refused(error(404, "Commit not found", data={"shas": unknown}))
    return found


def _by_prefix(repo: Repository, name: str) -> str | None:
    if name in repo.commits:
        return name
    if len(name) < 7:
        return None
    return next((hash_ for hash_ in repo.commits if hash_.startswith(name)), None)


def _select(repo: Repository, wanted: Wanted) -> list[Commit]:
    include, exclude = wanted
    seen = _reachable(repo, include or tuple(repo.branches.values()))
    seen -= _reachable(repo, exclude)
    latest = (commit for hash_, commit in reversed(repo.commits.items()) if hash_ in seen)
    return sorted(latest, key=lambda commit: commit.date, reverse=True)


def _reachable(repo: Repository, starts: tuple[str, ...]) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        hash_ = waiting.pop()
        if hash_ not in seen and hash_ in repo.commits:
            seen.add(hash_)
            waiting.extend(repo.commits[hash_].parents)
    return seen


def commit(call: Call) -> Answer:
    """One commit, by its whole hash or the beginning of it."""
    repo = call.repository()
    hash_ = _by_prefix(repo, call.names[2])
    if hash_ is None:
        return error(404, "Commit not found", data={"shas": [call.names[2]]})
    return call.one(shapes.commit, repo, repo.commits[hash_])


ROOT = "/repositories/{workspace}/{repository}"
BOTH = ("GET", "POST")
ENDPOINTS = (
    Endpoint(f"{ROOT}/commits", commits, **reading("repository"), methods=BOTH),
    Endpoint(f"{ROOT}/commits/{{revision}}", commits, **reading("repository"), methods=BOTH),
    Endpoint(f"{ROOT}/commit/{{revision}}", commit, **reading("repository")),
)
