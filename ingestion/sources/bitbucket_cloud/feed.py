"""The activity feed of a repository: one walk instead of one per pull request, where it is shown.

Newest first, but not strictly; entries have no id; the cursor is opaque and may die:
https://github.com/PostHog/posthog/pull/99812 and recorded feeds.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.answers import Answer
from connections.transport.errors import (
    BadRequest,
    BlockedAddress,
    Gone,
    NotFound,
    UnexpectedResponse,
)
from connections.transport.http import page_of
from ingestion.sources.base import OVERLAP, Checkpoint, NewPages, Page, Since, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import clock_of
from ingestion.sources.bitbucket_cloud.read import Json, Unreadable, inside, number
from ingestion.sources.rows import CommentRow, EventRow, RejectedRecord, Row


def walk_feed(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """Down to where *every* entry of a page is older than the watermark less an hour."""
    floor = since.watermark - OVERLAP if since.watermark else since.not_before
    checkpoint, pages = since.checkpoint, NewPages("activity")
    for checkpoint_holds, answer in _answers(client, repository, checkpoint):
        checkpoint = checkpoint if checkpoint_holds else None
        as_of = datetime.fromisoformat(checkpoint["as_of"]) if checkpoint else clock_of(answer)
        values, following = page_of(answer)
        rows = feed_rows(values)
        events = [row for row in rows if isinstance(row, EventRow)]
        if following:
            pages.check([(event.pull_request, event.key) for event in events])
        ends = following is None or _is_below(events, floor)
        checkpoint = {"as_of": as_of.isoformat(), "cursor": following}
        yield Page(rows=rows, checkpoint=None if ends else checkpoint, as_of=as_of)
        if ends:
            return


def _answers(
    client: BitbucketCloudClient, repository: str, checkpoint: Checkpoint | None
) -> Iterator[tuple[bool, Answer]]:
    """The feed's pages from the checkpoint; from the top where its cursor has died."""
    if checkpoint is not None:
        answers = client.activity(repository, start=checkpoint["cursor"])
        try:
            first = next(answers)
        except (BadRequest, BlockedAddress, NotFound, Gone, UnexpectedResponse):
            checkpoint = None  # the cursor has died, or the API has another address by now
        else:
            yield True, first
            for answer in answers:
                yield True, answer
    if checkpoint is None:
        for position, answer in enumerate(client.activity(repository)):
            yield position > 0, answer


def walk_histories(
    client: BitbucketCloudClient, repository: str, pull_requests: Sequence[int]
) -> Walk:
    """The feed of each pull request from its top to its end, where the repository's is refused."""
    for pull_request in pull_requests:
        try:
            yield from _history(client, repository, pull_request)
        except NotFound:
            if _is_there(client, repository, pull_request):
                raise  # it is the feed that is not shown
            yield Page(rows=(), finished=pull_request, is_missing=True)


def _history(client: BitbucketCloudClient, repository: str, pull_request: int) -> Walk:
    pages = NewPages("activity")
    for answer in client.pull_request_activity(repository, pull_request):
        values, following = page_of(answer)
        rows = feed_rows(values)
        if following:
            pages.check([row.key for row in rows if isinstance(row, EventRow)])
        yield Page(rows=rows, finished=None if following else pull_request)


def _is_there(client: BitbucketCloudClient, repository: str, pull_request: int) -> bool:
    try:
        client.pull_request(repository, pull_request)
    except NotFound:
        return False
    return True


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
            found.append(RejectedRecord(key=f"pull request {place}"[:200], reason=str(problem)))
    return found


def _comment(value: Json, said: Json) -> CommentRow:
    return parse.comment(said, number(inside(value, "pull_request", "id")))
