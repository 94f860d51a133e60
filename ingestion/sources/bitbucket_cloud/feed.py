"""The activity feed of a repository: one walk instead of one per pull request, where it is shown.

Newest first, but not strictly; entries have no id; the cursor is opaque and may die:
https://github.com/PostHog/posthog/pull/99812 and recorded feeds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.answers import Answer
from connections.transport.errors import (
    BadRequest,
    BlockedAddress,
    Gone,
    NotFound,
    UnexpectedResponse,
)
from connections.transport.paging import page_of
from ingestion.sources.base import Checkpoint, NewPages, Page, Since, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import clock_of, values_of
from ingestion.sources.bitbucket_cloud.pull_requests import Refusals
from ingestion.sources.bitbucket_cloud.read import Json, Unreadable, inside, number
from ingestion.sources.rows import CommentRow, EventRow, RejectedRecord, Row


def walk_feed(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """Down to where *every* entry of a page is older than the watermark less an hour."""
    checkpoint, pages = since.checkpoint, NewPages("activity")
    beyond = checkpoint.get("beyond") if checkpoint else None
    for checkpoint_holds, answer in _answers(client, repository, checkpoint):
        if not checkpoint_holds:
            checkpoint = beyond = None
        as_of = datetime.fromisoformat(checkpoint["as_of"]) if checkpoint else clock_of(answer)
        values, following = page_of(answer)
        rows = feed_rows(values)
        events = [row for row in rows if isinstance(row, EventRow)]
        if following:
            pages.check([(event.pull_request, event.key) for event in events])
        ends = following is None or _is_below(events, since.floor)
        kept = list(_inside(rows, since))
        if beyond is None and (ends or len(kept) < len(rows)):
            beyond = _beyond(answer, as_of, events)
        checkpoint = {"as_of": as_of.isoformat(), "cursor": following, "beyond": beyond}
        values.clear()  # a walk whose page waits to be written keeps its rows alone
        yield Page(
            rows=kept,
            checkpoint=None if ends else checkpoint,
            as_of=as_of,
            reached=min((event.happened_at for event in events), default=None),
            beyond=beyond if ends else None,
        )
        if ends:
            return


def _answers(
    client: BitbucketCloudClient, repository: str, checkpoint: Checkpoint | None
) -> Iterator[tuple[bool, Answer]]:
    """The feed's pages from the checkpoint; from the top where its cursor has died."""
    ask = partial(client.activity, repository)
    if checkpoint is not None:
        answers = ask(start=checkpoint["cursor"])
        try:
            first = _with_entries(next(answers), checkpoint)
        except (BadRequest, BlockedAddress, NotFound, Gone, UnexpectedResponse):
            checkpoint = None  # the cursor has died, or the API has another address by now
        else:
            for answer in _insisting(chain([first], answers), ask):
                yield True, answer
    if checkpoint is None:
        for position, answer in enumerate(_insisting(ask(), ask)):
            yield position > 0, answer


def _with_entries(answer: Answer, checkpoint: Checkpoint) -> Answer:
    """A page that a cursor led to. Raises UnexpectedResponse where it led to nothing.

    A page that was read before must begin no later than it did: else entries went from above it,
    and it was pushed past some.
    """
    if not values_of(answer):
        raise UnexpectedResponse("Bitbucket's list of activity goes on with nothing.")
    began = checkpoint.get("began")
    if began and not _begins_at(answer, datetime.fromisoformat(began)):
        raise UnexpectedResponse("Bitbucket's list of activity goes on below where it stood.")
    return answer


def _begins_at(answer: Answer, moment: datetime) -> bool:
    rows = feed_rows(values_of(answer))
    return any(isinstance(row, EventRow) and row.happened_at >= moment for row in rows)


def _beyond(answer: Answer, as_of: datetime, events: list[EventRow]) -> Checkpoint:
    """Where a walk into earlier history goes on: once more with the first page that shows some."""
    began = max((event.happened_at for event in events), default=None)
    return {
        "as_of": as_of.isoformat(),
        "cursor": answer.url,
        "began": began.isoformat() if began else None,
    }


def _inside(rows: list[Row], since: Since) -> Iterator[Row]:
    """Events of the history window, and the comments that they carry."""
    is_inside = True
    for row in rows:
        if isinstance(row, EventRow):
            is_inside = not since.is_before(row.happened_at)
        if is_inside or isinstance(row, RejectedRecord):
            yield row


def _insisting(answers: Iterable[Answer], ask: Callable[..., Iterator[Answer]]) -> Iterator[Answer]:
    """The pages of a feed; where one leads to an empty one, that is asked for once more.

    A feed tells no size, so this is how a passing fault is told from the end.
    """
    for position, answer in enumerate(answers):
        if position and not values_of(answer):
            yield from ask(start=answer.url)
            return
        yield answer


def walk_histories(
    client: BitbucketCloudClient, repository: str, pull_requests: Sequence[int]
) -> Walk:
    """The feed of each pull request from its top to its end, where the repository's is refused."""
    refusals = Refusals(client, repository)
    for pull_request in pull_requests:
        end = Page(rows=(), finished=pull_request)
        try:
            yield from _history(client, repository, pull_request, end)
            refusals.is_any_shown = True
        except NotFound as error:
            refusals.judge(end, pull_request, error)
        yield end


def _history(client: BitbucketCloudClient, repository: str, pull_request: int, end: Page) -> Walk:
    """The pages of the history that `end` ends, which is short behind an empty last page."""
    pages = NewPages("activity")
    ask = partial(client.pull_request_activity, repository, pull_request)
    for position, answer in enumerate(_insisting(ask(), ask)):
        values, following = page_of(answer)
        rows = feed_rows(values)
        if following:
            pages.check([row.key for row in rows if isinstance(row, EventRow)])
        yield Page(rows=rows)
        end.is_short = position > 0 and not values


def _is_below(events: list[EventRow], floor: datetime | None) -> bool:
    if floor is None or not events:
        return False
    return all(event.happened_at < floor for event in events)


def feed_rows(values: list[Json]) -> list[Row]:
    """Events, and the comments that some of them carry."""
    found: list[Row] = []
    for value in values:
        try:
            found.append(parse.event(value))
            said = value.get("comment")
            if isinstance(said, dict):
                found.append(_comment(value, said))
        except Unreadable as problem:
            place = inside(value, "pull_request", "id")
            name, parent = f"pull request {place}"[:200], str(place) if place else ""
            found.append(RejectedRecord(key=name, reason=str(problem), parent=parent))
    return found


def _comment(value: Json, said: Json) -> CommentRow:
    return parse.comment(said, number(inside(value, "pull_request", "id")))
