"""Pull requests, their comments and the entries of their history."""

from __future__ import annotations

from tests.sandbox.shapes.accounts import person
from tests.sandbox.shapes.places import Json, Places, micro, rendered
from tests.sandbox.shapes.repositories import commit_links, repository_inside, repository_link
from tests.sandbox.world import Activity, Comment, Inline, Participant, PullRequest, Repository

LINKS = "commits approve request-changes diff diffstat comments activity merge decline statuses"


def pull_request_inside(places: Places, one: PullRequest) -> Json:
    """A pull request as it stands inside comments and activity."""
    return {
        "type": "pullrequest",
        "id": one.id,
        "title": one.title,
        "draft": one.draft,
        "links": _links(places, one),
    }


def pull_request(places: Places, one: PullRequest) -> Json:
    """A row of a listing: without reviewers and participants."""
    links = {name: _link(places, one, name) for name in LINKS.split()}
    return {
        **pull_request_inside(places, one),
        "description": one.description,
        "summary": rendered(one.description),
        "state": one.state,
        "queued": False,
        "author": person(places, one.author),
        "closed_by": person(places, one.closed_by),
        "reason": one.reason,
        "created_on": micro(one.created_on),
        "updated_on": micro(one.updated_on),
        "comment_count": one.comment_count,
        "task_count": one.task_count,
        "close_source_branch": one.close_source_branch,
        "merge_commit": _merge_commit(places, one),
        "source": endpoint(
            places, one.source_repository, one.repository, one.source_branch, one.source_hash
        ),
        "destination": endpoint(
            places, one.repository, one.repository, one.destination_branch, one.destination_hash
        ),
        "links": links | _links(places, one),
    }


def with_people(places: Places, one: PullRequest) -> Json:
    """The row with reviewers and participants, as `fields=+values.…` gives it."""
    return {
        **pull_request(places, one),
        "reviewers": [person(places, who) for who in one.reviewers],
        "participants": [participant(places, part) for part in one.participants],
    }


def whole(places: Places, one: PullRequest) -> Json:
    """A pull request of its own."""
    texts = {"title": rendered(one.title), "description": rendered(one.description)}
    return {**with_people(places, one), "rendered": texts}


def participant(places: Places, part: Participant) -> Json:
    """Somebody's part in it."""
    return {
        "type": "participant",
        "user": person(places, part.person),
        "role": part.role,
        "approved": part.approved,
        "state": part.state,
        "participated_on": micro(part.participated_on),
    }


def endpoint(
    places: Places, repo: Repository | None, home: Repository, branch: str, hash_: str
) -> Json:
    """Source or destination: twelve characters of the hash, a null repository for a lost fork."""
    short = hash_[:12]
    links = commit_links(places, repo or home, short) if repo else {}
    return {
        "branch": {"name": branch},
        "commit": {"type": "commit", "hash": short, "links": links},
        "repository": repository_inside(places, repo) if repo else None,
    }


def _merge_commit(places: Places, one: PullRequest) -> Json | None:
    if one.merge_hash is None:
        return None
    short = one.merge_hash[:12]
    return {"type": "commit", "hash": short, "links": commit_links(places, one.repository, short)}


def _link(places: Places, one: PullRequest, *below: object) -> Json:
    return repository_link(places, one.repository, "pullrequests", one.id, *below)


def _links(places: Places, one: PullRequest) -> Json:
    repo = one.repository
    page = places.page(repo.workspace.slug, repo.slug, "pull-requests", one.id)
    return {"self": _link(places, one), "html": page}


def comment(places: Places, one: PullRequest, said: Comment) -> Json:
    """A comment; inline, parent and resolution appear only where there is one."""
    page = places.page(one.repository.workspace.slug, one.repository.slug, "pull-requests", one.id)
    body: Json = {
        "type": "pullrequest_comment",
        "id": said.id,
        "created_on": micro(said.created_on),
        "updated_on": micro(said.updated_on),
        "content": rendered(said.raw),
        "user": person(places, said.user),
        "deleted": said.deleted,
        "pending": said.pending,
        "pullrequest": pull_request_inside(places, one),
        "links": {
            "self": _link(places, one, "comments", said.id),
            "html": {"href": f"{page['href']}/_/diff#comment-{said.id}"},
        },
    }
    if said.inline:
        body["inline"] = _inline(said.inline)
    if said.parent_id:
        links = {"self": _link(places, one, "comments", said.parent_id)}
        body["parent"] = {"id": said.parent_id, "links": links}
    if said.resolved_by:
        body["resolution"] = _resolution(places, said)
    return body


def _inline(spot: Inline) -> Json:
    return {
        "path": spot.path,
        "from": spot.from_line,
        "to": spot.to_line,
        "start_from": None,
        "start_to": None,
    }


def _resolution(places: Places, said: Comment) -> Json:
    return {
        "type": "comment_resolution",
        "user": person(places, said.resolved_by),
        "created_on": micro(said.resolved_on),
    }


def activity(places: Places, entry: Activity) -> Json:
    """An entry of the history: the pull request and exactly one thing that happened."""
    one = entry.pull_request
    body: Json = {"pull_request": pull_request_inside(places, one)}
    if entry.comment:
        body["comment"] = comment(places, one, entry.comment)
    elif entry.kind == "update":
        body["update"] = _update(places, entry)
    else:
        body[entry.kind] = {
            "date": micro(entry.date),
            "user": person(places, entry.person),
            "pullrequest": pull_request_inside(places, one),
        }
    return body


def _update(places: Places, entry: Activity) -> Json:
    one = entry.pull_request
    return {
        "date": micro(entry.date),
        "state": entry.state,
        "title": entry.title,
        "description": one.description,
        "reason": one.reason if entry.state == "DECLINED" else "",
        "draft": one.draft,
        "author": person(places, entry.person),
        "reviewers": [],
        "changes": entry.changes,
        "source": endpoint(
            places, one.source_repository, one.repository, one.source_branch, entry.source_hash
        ),
        "destination": endpoint(
            places, one.repository, one.repository, one.destination_branch, entry.destination_hash
        ),
    }
