"""Comments and approvals, and who therefore takes part."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.sandbox.generation.draw import Draw
from tests.sandbox.generation.scale import Scale
from tests.sandbox.people import Person
from tests.sandbox.world import (
    Activity,
    ActivityKind,
    Comment,
    Inline,
    Participant,
    PullRequest,
    World,
)


def add_comments(
    world: World,
    pull_request: PullRequest,
    draw: Draw,
    scale: Scale,
    people: list[Person],
    end: datetime,
) -> None:
    """On every `comments_every`-th: the first inline, the second its answer, the last deleted
    on every eighth pull request."""
    if not scale.comments_every or pull_request.id % scale.comments_every:
        return
    for _ in range(scale.comments):
        person = draw.random.choice(people)
        date = draw.between(pull_request.created_on, end)
        write_comment(world, pull_request, person, draw.remark(), date)
    _shape(pull_request, odd=scale.awkward)


def _shape(pull_request: PullRequest, *, odd: bool) -> None:
    comments = pull_request.comments
    comments[0].inline = Inline("src/main.py", None, 7)
    if len(comments) > 1:
        comments[1].parent_id = comments[0].id
        comments[0].resolved_by = comments[1].user
        comments[0].resolved_on = comments[1].created_on
    if odd and pull_request.id % 8 == 4 and len(comments) > 2:
        remove_comment(comments[-1], vanish=pull_request.id % 16 == 4)


def write_comment(
    world: World, pull_request: PullRequest, person: Person | None, raw: str, date: datetime
) -> Comment:
    """A comment and its entry in the history."""
    later = date + timedelta(microseconds=73)
    comment = Comment(world.take_comment_id(), person, raw, created_on=date, updated_on=later)
    pull_request.comments.append(comment)
    record(world, pull_request, "comment", person, date).comment = comment
    if person:
        part = participant(pull_request, person)
        part.participated_on = max(part.participated_on or date, date)
    return comment


def remove_comment(comment: Comment, *, vanish: bool) -> None:
    """Bitbucket keeps the row of a deleted comment and empties it."""
    comment.deleted, comment.vanished, comment.raw = True, vanish, ""


def add_approvals(
    world: World, pull_request: PullRequest, draw: Draw, scale: Scale, end: datetime
) -> None:
    """Reviewers take part; every `approval_every`-th pull request is approved by one of them."""
    for reviewer in pull_request.reviewers:
        participant(pull_request, reviewer).role = "REVIEWER"
    if not scale.approval_every or pull_request.id % scale.approval_every:
        return
    if pull_request.reviewers:
        date = draw.between(pull_request.created_on, end)
        approve(world, pull_request, pull_request.reviewers[0], date)


def approve(world: World, pull_request: PullRequest, person: Person, date: datetime) -> None:
    """An approval, in the history and on the participant."""
    part = participant(pull_request, person)
    part.approved, part.state, part.participated_on = True, "approved", date
    record(world, pull_request, "approval", person, date)


def request_changes(
    world: World, pull_request: PullRequest, person: Person, date: datetime
) -> None:
    """A request for changes, in the history and on the participant."""
    part = participant(pull_request, person)
    part.approved, part.state, part.participated_on = False, "changes_requested", date
    record(world, pull_request, "changes_requested", person, date)


def participant(pull_request: PullRequest, person: Person) -> Participant:
    """This person's part in the pull request, made if there is none."""
    for part in pull_request.participants:
        if part.person is person:
            return part
    part = Participant(person, "PARTICIPANT")
    pull_request.participants.append(part)
    return part


def record(
    world: World,
    pull_request: PullRequest,
    kind: ActivityKind,
    person: Person | None,
    date: datetime,
) -> Activity:
    """A new entry of the pull request's history."""
    sequence = world.take_sequence()
    entry = Activity(sequence, kind, date, person, pull_request)
    pull_request.activity.append(entry)
    return entry
