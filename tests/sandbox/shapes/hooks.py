"""Webhook subscriptions, and what they tell of an event."""

from __future__ import annotations

from datetime import datetime

from tests.sandbox.builds import Pipeline
from tests.sandbox.people import Person
from tests.sandbox.shapes.accounts import person, workspace_inside
from tests.sandbox.shapes.places import Json, Places, micro, zulu
from tests.sandbox.shapes.repositories import (
    commit,
    commit_links,
    repository,
    repository_inside,
    repository_link,
)
from tests.sandbox.world import Hook, Repository, Workspace

COMMITS = 5  # that a push tells of
STATES = {None: "INPROGRESS", "SUCCESSFUL": "SUCCESSFUL", "STOPPED": "STOPPED"}


def hook(places: Places, place: Workspace | Repository, one: Hook) -> Json:
    """A webhook subscription; its secret is never shown."""
    if isinstance(place, Repository):
        kind, subject = "repository", repository_inside(places, place)
        link = repository_link(places, place, "hooks", one.uuid)
    else:
        kind, subject = "workspace", workspace_inside(places, place)
        link = places.link("workspaces", place.slug, "hooks", one.uuid)
    return {
        "type": "webhook_subscription",
        "uuid": one.uuid,
        "url": one.url,
        "description": one.description,
        "subject_type": kind,
        "subject": subject,
        "active": one.active,
        "created_at": zulu(one.created_at, 6),
        "events": one.events,
        "secret_set": bool(one.secret),
        "read_only": False,
        "source": None,
        "skip_cert_verification": False,
        "links": {"self": link},
    }


def event(places: Places, repo: Repository, actor: Person | None, **parts: Json) -> Json:
    """The body of a delivery: who, where, and what happened."""
    return {"actor": person(places, actor), "repository": repository(places, repo), **parts}


def verdict(places: Places, who: Person, date: datetime) -> Json:
    """An approval or a request for changes."""
    return {"date": micro(date), "user": person(places, who)}


def push(places: Places, repo: Repository, branch: str, old: str | None, new: str | None) -> Json:
    """What was pushed: one branch that moved, began or ended."""
    brought, is_forward = _between(repo, old, new)
    change = {
        "old": _tip(places, repo, branch, old),
        "new": _tip(places, repo, branch, new),
        "created": old is None,
        "closed": new is None,
        "forced": old is not None and new is not None and not is_forward,
        "truncated": len(brought) > COMMITS,
        "commits": [_inside(places, repo, hash_) for hash_ in brought[:COMMITS]],
        "links": {"commits": repository_link(places, repo, "commits")},
    }
    return {"changes": [change]}


def commit_status(places: Places, repo: Repository, run: Pipeline) -> Json:
    """What became of a build: there is no event for a pipeline itself."""
    page = places.page(repo.workspace.slug, repo.slug, "pipelines", "results", run.build_number)
    return {
        "type": "build",
        "key": f"pipeline-{run.build_number}",
        "name": f"Pipeline #{run.build_number} for {run.ref_name}",
        "description": "",
        "state": STATES.get(run.result, "FAILED"),
        "refname": run.ref_name,
        "url": page["href"],
        "created_on": micro(run.created_on),
        "updated_on": micro(run.completed_on or run.created_on),
        "repository": repository_inside(places, repo),
        "commit": {
            "type": "commit",
            "hash": run.commit_hash,
            "links": commit_links(places, repo, run.commit_hash),
        },
        "links": {"commit": commit_links(places, repo, run.commit_hash)["self"]},
    }


def _between(repo: Repository, old: str | None, new: str | None) -> tuple[list[str], bool]:
    """What a push brought, newest first, and whether the old tip is beneath the new one."""
    known = set(_beneath(repo, {old} if old else set(repo.branches.values()) - {new}))
    reached = _beneath(repo, {new} if new else set())
    return [one for one in reached if one not in known], old in reached


def _beneath(repo: Repository, tips: set[str | None]) -> list[str]:
    """Every commit that is reached from these, nearly newest first."""
    seen: dict[str, None] = {}
    waiting = [tip for tip in tips if tip]
    while waiting:
        hash_ = waiting.pop(0)
        if hash_ not in seen and hash_ in repo.commits:
            seen[hash_] = None
            waiting.extend(repo.commits[hash_].parents)
    return list(seen)


def _tip(places: Places, repo: Repository, branch: str, hash_: str | None) -> Json | None:
    if hash_ is None:
        return None
    links = {"self": repository_link(places, repo, "refs", "branches", branch)}
    return {
        "type": "branch",
        "name": branch,
        "target": _inside(places, repo, hash_),
        "links": links,
    }


def _inside(places: Places, repo: Repository, hash_: str) -> Json:
    known = repo.commits.get(hash_)
    return commit(places, repo, known) if known else {"type": "commit", "hash": hash_}
