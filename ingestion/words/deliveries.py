"""Deliveries of webhooks, in words: what happened at Bitbucket, and what became of it here."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from connections.models import Connection
from ingestion.models import Delivery
from ingestion.selectors.deliveries import LATEST, deliveries_of
from tenants.badges import Badge, badge

Outcome = Delivery.Outcome

EVENTS = {
    "repo:push": "Commits pushed",
    "repo:fork": "Repository forked",
    "repo:updated": "Repository changed",
    "repo:created": "Repository created",
    "repo:deleted": "Repository deleted",
    "repo:transfer": "Repository transferred",
    "repo:imported": "Repository imported",
    "repo:commit_comment_created": "Comment on a commit",
    "repo:commit_status_created": "Build status of a commit",
    "repo:commit_status_updated": "Build status changed",
    "pullrequest:created": "Pull request opened",
    "pullrequest:updated": "Pull request changed",
    "pullrequest:push": "Commits pushed to a pull request",
    "pullrequest:approved": "Pull request approved",
    "pullrequest:unapproved": "Approval withdrawn",
    "pullrequest:changes_request_created": "Changes requested",
    "pullrequest:changes_request_removed": "Request for changes withdrawn",
    "pullrequest:fulfilled": "Pull request merged",
    "pullrequest:rejected": "Pull request declined",
    "pullrequest:comment_created": "Comment on a pull request",
    "pullrequest:comment_updated": "Comment edited",
    "pullrequest:comment_deleted": "Comment deleted",
    "pullrequest:comment_resolved": "Comment resolved",
    "pullrequest:comment_reopened": "Comment reopened",
    "project:updated": "Project changed",
    "pipeline:span_created": "Pipeline step recorded",
}
OUTCOMES: dict[str, str] = {
    Outcome.CHANGED: "What changed was fetched.",
    Outcome.UNCHANGED: "It was fetched; nothing differed from what is here.",
    Outcome.GONE: "It is gone at Bitbucket.",
    Outcome.STALE: "It is older than what is here, so nothing was fetched.",
    Outcome.REPEATED: "Another delivery fetched the same after this one came.",
    Outcome.UNKNOWN_EVENT: "It tells of nothing that is synced.",
    Outcome.NOT_COPIED: "This connection does not sync what it tells of.",
    Outcome.NOT_SELECTED: "Its repository is not chosen.",
    Outcome.NOT_READ_YET: "Nothing of this is here yet. The next sync reads it whole.",
    Outcome.QUOTA: "It waits for requests that Bitbucket allows.",
    Outcome.RETRY: "Bitbucket had trouble. It is tried again.",
    Outcome.FAILED: "It could not be fetched. The next sync brings it.",
}
WAITING = "It waits for a worker; where the connection is paused, until it is enabled."


def event_in_words(event: str) -> str:
    """What a person would call an event; an unknown one by its key."""
    return EVENTS.get(event) or event or "Unknown event"


def outcome_in_words(delivery: Delivery) -> str:
    """What became of a delivery, in a sentence."""
    if delivery.outcome:
        return OUTCOMES.get(delivery.outcome, delivery.outcome)
    return "It is being fetched." if delivery.state == Delivery.State.RUNNING else WAITING


BADGES = {
    Delivery.State.QUEUED: badge("idle", "◌", "Waiting"),
    Delivery.State.RUNNING: badge("busy", "◐", "Reading"),
    Delivery.State.DONE: badge("good", "✓", "Fetched"),
    Delivery.State.DROPPED: badge("idle", "–", "Nothing to fetch"),
    Delivery.State.FAILED: badge("bad", "✕", "Failed"),
}
SHOWN = 100_000  # characters of a body on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A delivery as pages show it."""

    delivery: Delivery
    event: str
    outcome: str
    badge: Badge


def described(deliveries: Iterable[Delivery]) -> list[Described]:
    """Deliveries with what lists say of them."""
    return [
        Described(
            delivery=one,
            event=event_in_words(one.event),
            outcome=outcome_in_words(one),
            badge=BADGES[Delivery.State(one.state)],
        )
        for one in deliveries
    ]


def latest_deliveries(connection: Connection) -> list[Described]:
    """The last ones of a connection; see `settings.LATEST_DELIVERIES`."""
    rows = deliveries_of(connection.organization_id).filter(connection=connection)
    return described(rows[:LATEST])


def pretty(body: str) -> tuple[str, bool]:
    """A body with its lines indented, and whether it was cut, since it is very long. What is cut is
    never made: indenting may blow up a body a thousandfold.
    """
    text = _indented(body)
    return text[:SHOWN].encode("utf-8", "replace").decode(), len(text) > SHOWN


def _indented(body: str) -> str:
    """A little more than what is shown of a body; as it came, where it is nested too deep."""
    text = StringIO()
    try:
        for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(json.loads(body)):
            text.write(piece)
            if text.tell() > SHOWN:
                break
    except RecursionError:
        return body
    return text.getvalue()
