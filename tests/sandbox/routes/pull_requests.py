"""Pull requests, their feed, comments and commits."""

from __future__ import annotations

from typing import Any

from tests.sandbox.answers import Answer, Refused, error
from tests.sandbox.paging import address, every, iterated, last, offset, seal, unseal
from tests.sandbox.routes.call import Call, Endpoint, reading
from tests.sandbox.shapes import pull_requests as shapes
from tests.sandbox.shapes import repositories as repository_shapes
from tests.sandbox.world import Activity, PullRequest

PULL_REQUEST_PAGE = 50
PEOPLE = ("values.participants", "values.reviewers")
FIELDS = {
    "id": lambda one: one.id,
    "title": lambda one: one.title,
    "state": lambda one: one.state,
    "draft": lambda one: one.draft,
    "created_on": lambda one: one.created_on,
    "updated_on": lambda one: one.updated_on,
    "author.uuid": lambda one: one.author.uuid if one.author else None,
    "author.nickname": lambda one: one.author.nickname if one.author else None,
    "source.branch.name": lambda one: one.source_branch,
    "destination.branch.name": lambda one: one.destination_branch,
}
COMMENT_FIELDS = {
    "id": lambda one: one.id,
    "created_on": lambda one: one.created_on,
    "updated_on": lambda one: one.updated_on,
    "deleted": lambda one: one.deleted,
    "user.uuid": lambda one: one.user.uuid if one.user else None,
    "parent.id": lambda one: one.parent_id,
}


def pull_requests(call: Call) -> Answer:
    """A listing: OPEN ones unless `state` says otherwise, and `q` overrides `state`."""
    repo = call.repository()
    query = last(call.pairs, "q") or ""
    rows = call.site.listings.select(
        ("pull requests", id(repo)),
        lambda: sorted(repo.pull_requests.values(), key=lambda one: -one.id),
        FIELDS,
        query or _states(call),
        last(call.pairs, "sort") or "-created_on",
    )
    make = shapes.with_people if _asks_for_people(call) else shapes.pull_request
    return call.page(rows, call.render(make), maximum=PULL_REQUEST_PAGE)


def _states(call: Call) -> str:
    states = [state.upper() for state in every(call.pairs, "state")] or ["OPEN"]
    if "ALL" in states:
        return ""
    quoted = ", ".join('"' + state.replace('"', "") + '"' for state in states)
    return f"state IN ({quoted})"


def _asks_for_people(call: Call) -> bool:
    asked = (name for value in every(call.pairs, "fields") for name in value.split(","))
    return any(name.removeprefix("+").startswith(PEOPLE) for name in asked)


def pull_request(call: Call) -> Answer:
    """One pull request, with its people."""
    return call.one(shapes.whole, call.pull_request())


def feed(call: Call) -> Answer:
    """The history of all pull requests of a repository, nearly newest first."""
    repo = call.repository()
    return _activity(call, ("feed", id(repo)), repo.feed)


def activity(call: Call) -> Answer:
    """The history of one pull request."""
    one = call.pull_request()
    return _activity(call, ("activity", id(one)), one.activity)


def _activity(call: Call, owner: tuple[Any, ...], entries: list[Activity]) -> Answer:
    rows = call.site.listings.kept(owner, lambda: nearly_newest_first(entries))
    start, epoch = 0, call.site.epoch
    cursor = last(call.pairs, "ctx")
    if cursor is not None:
        start = _resume(rows, unseal(cursor), epoch)
    return iterated(
        call.base,
        call.pairs,
        rows,
        call.render(shapes.activity),
        start=start,
        cursor=lambda entry: seal(rows.index(entry, start), entry.sequence, epoch),
        parameter="ctx",
        maximum=PULL_REQUEST_PAGE,
    )


def nearly_newest_first(entries: list[Activity]) -> list[Activity]:
    """Newest first, with neighbours swapped now and then, as recorded feeds have it."""
    shown = [e for e in entries if not (e.comment and e.comment.vanished)]
    shown.sort(key=lambda entry: (entry.date, entry.sequence), reverse=True)
    for at in range(len(shown) - 1):
        near = (shown[at].date - shown[at + 1].date).total_seconds() < 1800
        if near and shown[at].sequence % 7 == 0:
            shown[at], shown[at + 1] = shown[at + 1], shown[at]
    return shown


def _resume(rows: list[Activity], cursor: list[Any], epoch: int) -> int:
    if [type(part) for part in cursor] != [int] * 3 or cursor[2] != epoch:
        raise Refused(error(400, "Invalid ctx"))
    at, sequence = cursor[0], cursor[1]
    if 0 <= at < len(rows) and rows[at].sequence == sequence:
        return int(at) + 1
    found = next((i for i, entry in enumerate(rows) if entry.sequence == sequence), None)
    if found is None:
        raise Refused(error(400, "Invalid ctx"))
    return found + 1


def comments(call: Call) -> Answer:
    """The comments of one pull request, oldest first, deleted ones included."""
    one = call.pull_request()
    rows = call.site.listings.select(
        ("comments", id(one)),
        lambda: one.comments,
        COMMENT_FIELDS,
        last(call.pairs, "q") or "",
        last(call.pairs, "sort") or "created_on",
    )
    return call.page(rows, call.render(shapes.comment, one))


def comment(call: Call) -> Answer:
    """One comment; the 404 carries its id as the message."""
    one, number = call.pull_request(), int(call.names[3])
    for said in one.comments:
        if said.id == number:
            return call.one(shapes.comment, one, said)
    return error(404, str(number))


def commits(call: Call) -> Answer:
    """Newest first; none where the branch is gone, 404 where the fork is gone."""
    one: PullRequest = call.pull_request()
    repo = one.repository
    if one.source_repository is None:
        return error(404, "Not Found")
    hashes = [] if one.source_branch_gone else one.commits[::-1]
    return iterated(
        call.base,
        call.pairs,
        [repo.commits[hash_] for hash_ in hashes],
        call.render(repository_shapes.commit, repo),
        start=offset(call.pairs, "page"),
        cursor=lambda commit: seal(hashes.index(commit.hash) + 1),
        parameter="page",
    )


def diffstat(call: Call) -> Answer:
    """A redirect to the repository's diffstat."""
    one = call.pull_request()
    place = f"{call.site.renderer.places.api}/repositories/{one.repository.full_name}/diffstat"
    target = f"{place}/{one.source_hash[:12]}..{one.destination_hash[:12]}"
    answer = Answer(302, b"", "text/html; charset=utf-8")
    pairs = [("from_pullrequest_id", str(one.id)), ("topic", "true")]
    answer.headers["location"] = address(target, pairs, ())
    return answer


ROOT = "/repositories/{workspace}/{repository}/pullrequests"
SCOPES = reading("pullrequest")
ENDPOINTS = (
    Endpoint(ROOT, pull_requests, **SCOPES),
    Endpoint(f"{ROOT}/activity", feed, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}", pull_request, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/activity", activity, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/comments", comments, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/comments/{{id}}", comment, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/commits", commits, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/diffstat", diffstat, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/diff", diffstat, **SCOPES),
    Endpoint(f"{ROOT}/{{id}}/patch", diffstat, **SCOPES),
)
