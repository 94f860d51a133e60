"""What happens to a pull request: pushes, and in the end a merge or a refusal."""

from __future__ import annotations

from datetime import datetime

from tests.sandbox.generation.commits import add_commit
from tests.sandbox.generation.draw import Draw
from tests.sandbox.generation.scale import Scale
from tests.sandbox.world import Activity, PullRequest, Repository, World


def add_commits(pull_request: PullRequest, draw: Draw, scale: Scale, end: datetime) -> None:
    """One commit per push; the last one is the tip of the source branch."""
    repository, parent = pull_request.repository, pull_request.destination_hash
    pushes = max(1, scale.updates - 1)
    for number in range(pushes):
        share = (number + 0.3 * draw.random.random()) / pushes
        date = pull_request.created_on + (end - pull_request.created_on) * share
        commit = add_commit(
            repository, draw, pull_request.author, date, pull_request.title, (parent,)
        )
        parent = commit.hash
        pull_request.commits.append(parent)
    pull_request.source_hash = parent


def add_updates(
    world: World, pull_request: PullRequest, draw: Draw, scale: Scale, end: datetime
) -> None:
    """`scale.updates` entries: the opening, pushes between, the closing where there is one."""
    closed = pull_request.state != "OPEN"
    for number in range(scale.updates):
        last = number == scale.updates - 1
        share = number / max(1, scale.updates - 1)
        date = pull_request.created_on + (end - pull_request.created_on) * share
        commit = pull_request.commits[min(number, len(pull_request.commits) - 1)]
        state = pull_request.state if last and closed else "OPEN"
        _update(world, pull_request, draw.between(date, date.replace(microsecond=999_999)), commit)
        pull_request.activity[-1].state = state
    if closed:
        _close(pull_request, draw)


def _update(world: World, pull_request: PullRequest, date: datetime, commit: str) -> None:
    pull_request.activity.append(
        Activity(
            sequence=world.take_sequence(),
            kind="update",
            date=date,
            person=pull_request.author,
            pull_request=pull_request,
            title=pull_request.title,
            source_hash=commit,
            destination_hash=pull_request.destination_hash,
        )
    )


def _close(pull_request: PullRequest, draw: Draw) -> None:
    people = [m.person for m in pull_request.repository.workspace.members.values()]
    pull_request.closed_by = draw.random.choice(people)
    pull_request.activity[-1].person = pull_request.closed_by
    if pull_request.state == "DECLINED":
        pull_request.reason = "Not needed any more"
        pull_request.source_branch_gone = pull_request.id % 2 == 0


def merge_in_order(repository: Repository, draw: Draw) -> None:
    """Merge commits on the main line, and branches for what is still open."""
    by_time = sorted(repository.pull_requests.values(), key=lambda p: p.activity[-1].date)
    for pull_request in by_time:
        if pull_request.state == "OPEN":
            repository.branches[pull_request.source_branch] = pull_request.source_hash
        if pull_request.state != "MERGED":
            continue
        parents = (repository.branches["main"], pull_request.source_hash)
        message = f"Merged in {pull_request.source_branch} (pull request #{pull_request.id})"
        date = pull_request.activity[-1].date
        merge = add_commit(repository, draw, pull_request.closed_by, date, message, parents)
        repository.branches["main"] = merge.hash
        pull_request.merge_hash = merge.hash
