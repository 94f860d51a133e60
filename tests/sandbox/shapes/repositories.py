"""Repositories, branches and commits."""

from __future__ import annotations

from tests.sandbox.shapes.accounts import person, project_inside, workspace_inside
from tests.sandbox.shapes.places import Json, Places, micro, rendered
from tests.sandbox.world import Commit, Repository


def repository_inside(places: Places, repo: Repository) -> Json:
    """A repository as it stands inside other objects."""
    return {
        "type": "repository",
        "uuid": repo.uuid,
        "name": repo.name,
        "full_name": repo.full_name,
        "links": {
            "self": repository_link(places, repo),
            "html": places.page(repo.workspace.slug, repo.slug),
            "avatar": places.page("ravatar", repo.uuid),
        },
    }


def repository_link(places: Places, repo: Repository, *below: object) -> Json:
    """A link below the repository."""
    return places.link("repositories", repo.workspace.slug, repo.slug, *below)


def repository(places: Places, repo: Repository) -> Json:
    """A repository of its own. The https clone link carries a user name, as in reality."""
    body = repository_inside(places, repo)
    branch = {"type": "branch", "name": repo.mainbranch} if repo.mainbranch else None
    body |= {
        "slug": repo.slug,
        "scm": "git",
        "website": None,
        "description": repo.description,
        "is_private": True,
        "language": repo.language,
        "size": repo.size,
        "fork_policy": "no_public_forks",
        "has_issues": False,
        "has_wiki": False,
        "mainbranch": branch,
        "created_on": micro(repo.created_on),
        "updated_on": micro(repo.updated_on),
        "owner": _owner(places, repo),
        "workspace": workspace_inside(places, repo.workspace),
        "project": project_inside(places, repo.workspace, repo.project),
        "parent": repository_inside(places, repo.parent) if repo.parent else None,
    }
    body["links"] |= _further_links(places, repo)
    return body


def _owner(places: Places, repo: Repository) -> Json:
    place = repo.workspace
    return {
        "type": "team",
        "uuid": place.uuid,
        "username": place.slug,
        "display_name": place.name,
        "links": {
            "self": places.link("workspaces", place.uuid),
            "avatar": places.page("account", place.slug, "avatar", ""),
            "html": places.page(place.uuid, ""),
        },
    }


def _further_links(places: Places, repo: Repository) -> Json:
    below = {name: repository_link(places, repo, name) for name in ("commits", "forks", "hooks")}
    host = places.web.removeprefix("http://")
    return below | {
        "branches": repository_link(places, repo, "refs", "branches"),
        "tags": repository_link(places, repo, "refs", "tags"),
        "pullrequests": repository_link(places, repo, "pullrequests"),
        "source": repository_link(places, repo, "src"),
        "clone": [
            {"name": "https", "href": f"https://ada-admin@{host}/{repo.full_name}.git"},
            {"name": "ssh", "href": f"git@bitbucket.org:{repo.full_name}.git"},
        ],
    }


def commit_links(places: Places, repo: Repository, hash_: str) -> Json:
    """The two links that every mention of a commit carries."""
    return {
        "self": repository_link(places, repo, "commit", hash_),
        "html": places.page(repo.workspace.slug, repo.slug, "commits", hash_),
    }


def commit(places: Places, repo: Repository, one: Commit) -> Json:
    """A commit with its whole hash; author.user is absent where the e-mail is nobody's."""
    author: Json = {"type": "author", "raw": one.raw_author}
    if one.user:
        author["user"] = person(places, one.user)
    parents = [
        {"type": "commit", "hash": parent, "links": commit_links(places, repo, parent)}
        for parent in one.parents
    ]
    return {
        "type": "commit",
        "hash": one.hash,
        "date": micro(one.date),
        "author": author,
        "message": one.message,
        "summary": rendered(one.message),
        "rendered": {"message": rendered(one.message)},
        "parents": parents,
        "repository": repository_inside(places, repo),
        "links": commit_links(places, repo, one.hash),
    }


def branch(places: Places, repo: Repository, name: str) -> Json:
    """A branch with the commit at its tip."""
    return {
        "type": "branch",
        "name": name,
        "target": commit(places, repo, repo.commits[repo.branches[name]]),
        "merge_strategies": ["merge_commit", "squash", "fast_forward"],
        "default_merge_strategy": "merge_commit",
        "links": {
            "self": repository_link(places, repo, "refs", "branches", name),
            "commits": repository_link(places, repo, "commits", name),
            "html": places.page(repo.workspace.slug, repo.slug, "branch", name),
        },
    }
