"""What Bitbucket Cloud's webhooks tell of. Shapes: bitbucket.md of the research, part B.

Nothing of a delivery is stored as a record: it is a hint, and Bitbucket is asked for the rest.
"""

import re
from collections.abc import Callable

from ingestion.sources.bitbucket_cloud.read import (
    Json,
    Unreadable,
    inside,
    moment_or_none,
    number_or_none,
    text,
)
from ingestion.sources.hints import Hint

NAME = 510  # characters
UUID = re.compile(r"\{[^/{}]+\}")  # its braces also keep `..` out of paths
PULL_REQUEST = "pullrequest:"
COMMENT = "pullrequest:comment_"


def hint(event: str, body: Json) -> Hint | None:
    """What this delivery tells of; None where that is nothing which is copied, or unreadable."""
    read = _pull_request if event.startswith(PULL_REQUEST) else EVENTS.get(event)
    try:
        uuid = text(inside(body, "repository", "uuid"), 64)
        return read(event, body, uuid) if read and UUID.fullmatch(uuid) else None
    except Unreadable:
        return None


def _pull_request(event: str, body: Json, repository: str) -> Hint | None:
    number = number_or_none(inside(body, "pullrequest", "id"))
    if number is None or number < 1:
        return None
    return Hint(
        stream="pull_requests",
        repository=repository,
        repository_name=_name(body),
        number=number,
        changed_at=moment_or_none(inside(body, "pullrequest", "updated_on")),
        is_detail=event.startswith(COMMENT),
    )


def _push(event: str, body: Json, repository: str) -> Hint | None:
    """Payloads name five commits at most: all are read from the branches. Some name no change."""
    if not inside(body, "push", "changes"):
        return None
    return Hint(stream="commits", repository=repository, repository_name=_name(body))


def _pipeline(event: str, body: Json, repository: str) -> Hint:
    """A status of a commit names no run: the newest runs are read."""
    return Hint(stream="pipelines", repository=repository, repository_name=_name(body))


def _repository(event: str, body: Json, repository: str) -> Hint:
    return Hint(
        stream="repositories",
        repository=repository,
        repository_name=_name(body),
        is_removal=event == "repo:deleted",
    )


def _name(body: Json) -> str:
    return text(inside(body, "repository", "full_name"), NAME)


EVENTS: dict[str, Callable[[str, Json, str], Hint | None]] = {
    "repo:push": _push,
    "repo:commit_status_created": _pipeline,
    "repo:commit_status_updated": _pipeline,
    "pipeline:span_created": _pipeline,
    "repo:created": _repository,
    "repo:imported": _repository,
    "repo:updated": _repository,
    "repo:transfer": _repository,
    "repo:deleted": _repository,
}
