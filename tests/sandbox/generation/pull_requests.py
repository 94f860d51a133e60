"""Pull requests with their history: updates, comments, approvals, and the odd ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.sandbox.generation.discussions import add_approvals, add_comments
from tests.sandbox.generation.draw import Draw
from tests.sandbox.generation.history import add_commits, add_updates, merge_in_order
from tests.sandbox.generation.oddities import make_odd, title_for
from tests.sandbox.generation.scale import Scale
from tests.sandbox.people import Person
from tests.sandbox.world import PullRequest, Repository, World


def add_pull_requests(
    world: World, repository: Repository, draw: Draw, scale: Scale, until: datetime
) -> None:
    """`scale.pull_requests` of them, spread evenly over `scale.days`."""
    people = [m.person for m in repository.workspace.members.values()]
    for number in range(1, scale.pull_requests + 1):
        pull_request = _new(repository, draw, scale, until, people, number)
        end = _end(pull_request.created_on, draw, until)
        add_commits(pull_request, draw, scale, end)
        add_comments(world, pull_request, draw, scale, people, end)
        add_approvals(world, pull_request, draw, scale, end)
        add_updates(world, pull_request, draw, scale, end)
        if scale.awkward:
            make_odd(world, pull_request, draw, end)
        _settle(pull_request)
    merge_in_order(repository, draw)
    _share_an_instant(repository, scale)
    _fill_feed(repository)


def _new(
    repository: Repository,
    draw: Draw,
    scale: Scale,
    until: datetime,
    people: list[Person],
    number: int,
) -> PullRequest:
    start = until - timedelta(days=scale.days)
    stride = timedelta(days=scale.days) / (scale.pull_requests + 1)
    created = draw.between(start + stride * (number - 1), start + stride * number)
    author = people[(number * 5 + draw.random.randrange(3)) % len(people)]
    reviewers = [p for p in draw.random.sample(people, min(3, len(people))) if p is not author]
    pull_request = PullRequest(
        id=number,
        repository=repository,
        title=title_for(number, draw) if scale.awkward else draw.title(),
        description=draw.remark(),
        state=_state(number, scale.pull_requests),
        author=author,
        created_on=created,
        updated_on=created,
        source_branch=f"feature/{number}-{draw.random.randrange(10**4)}",
        source_hash="",
        destination_branch=repository.mainbranch or "main",
        destination_hash=repository.branches["main"],
        source_repository=repository,
        reviewers=reviewers[:2],
    )
    repository.pull_requests[number] = pull_request
    return pull_request


def _state(number: int, count: int) -> str:
    if number % 5 == 0 or number > count * 0.95:
        return "OPEN"
    if number % 7 == 3:
        return "DECLINED"
    return "SUPERSEDED" if number % 11 == 8 else "MERGED"


def _end(created: datetime, draw: Draw, until: datetime) -> datetime:
    wished = created + timedelta(hours=1) + timedelta(days=5) * draw.random.random()
    return min(wished, until - (until - created) * 0.01)


def _settle(pull_request: PullRequest) -> None:
    pull_request.activity.sort(key=lambda entry: (entry.date, entry.sequence))
    newest = max((entry.date for entry in pull_request.activity), default=pull_request.created_on)
    pull_request.updated_on = max(newest, pull_request.created_on)


def _share_an_instant(repository: Repository, scale: Scale) -> None:
    group = [p for p in repository.pull_requests.values() if p.id >= 7][: scale.same_instant]
    for pull_request in group:
        pull_request.updated_on = max(member.updated_on for member in group)


def _fill_feed(repository: Repository) -> None:
    entries = [e for p in repository.pull_requests.values() for e in p.activity]
    repository.feed = sorted(entries, key=lambda entry: (entry.date, entry.sequence))
