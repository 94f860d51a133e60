"""Pull requests as only real life makes them, the same kinds again every 25 numbers."""

from __future__ import annotations

from datetime import datetime

from tests.sandbox.generation.discussions import request_changes
from tests.sandbox.generation.draw import Draw
from tests.sandbox.world import PullRequest, World

TITLES = {
    1: '=HYPERLINK("https://example.com") in the export',
    3: "Ünïcödé in the 検索 index 🚀🔥",
    4: "<script>alert('title')</script> must be shown as text",
    11: "A very long title that goes on " + "and on " * 32,
    13: "إصلاح اتجاه النص",
    16: "  spaces around  ",
}


def title_for(number: int, draw: Draw) -> str:
    """A title that is now and then hard to show."""
    plain = draw.title()
    return TITLES.get(number % 25, plain)[:255]


def make_odd(world: World, pull_request: PullRequest, draw: Draw, end: datetime) -> None:
    """Deleted forks, vanished accounts, drafts and requests for changes."""
    kind = pull_request.id % 25
    if kind == 2 and pull_request.reviewers:
        date = draw.between(pull_request.created_on, end)
        request_changes(world, pull_request, pull_request.reviewers[0], date)
    if kind == 5:
        pull_request.source_repository = None
    if kind == 6:
        _lose_people(pull_request)
    if kind in (3, 9):
        pull_request.closed_by = None
    if kind == 10:
        pull_request.draft = True
    if kind == 12:
        pull_request.created_on = pull_request.created_on.replace(microsecond=0)


def _lose_people(pull_request: PullRequest) -> None:
    """The accounts of its author, its first reviewer and its first commentator are deleted."""
    lost = {pull_request.author, *pull_request.reviewers[:1]}
    lost |= {comment.user for comment in pull_request.comments[:1]}
    pull_request.author = None
    pull_request.reviewers = [one for one in pull_request.reviewers if one not in lost]
    pull_request.participants = [p for p in pull_request.participants if p.person not in lost]
    for comment in pull_request.comments:
        comment.user = None if comment.user in lost else comment.user
    for entry in pull_request.activity:
        entry.person = None if entry.person in lost else entry.person
