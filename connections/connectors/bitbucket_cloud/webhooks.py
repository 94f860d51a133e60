"""Webhooks at Bitbucket Cloud.

Events: https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/. Those of a workspace
hear of all its repositories, and only the workspace's owners may make them. Making one takes the
scope of every event that it subscribes to.
"""

import json
import shlex
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from django.conf import settings

from connections.connectors.bitbucket_cloud.methods import PIPELINES, PULL_REQUESTS
from connections.connectors.webhooks import HookPlace, RemoteHook, WantedHook, Webhooks
from connections.transport.answers import Answer
from connections.transport.errors import UnexpectedResponse
from connections.transport.http import Transport
from connections.transport.paging import page_of
from tenants.api_call import SECRET, quoted

DESCRIPTION = "Tributary"
PAGE = 100
_OF_PULL_REQUESTS = tuple(
    f"pullrequest:{what}"
    for what in (
        "created",
        "updated",
        "push",
        "approved",
        "unapproved",
        "changes_request_created",
        "changes_request_removed",
        "fulfilled",
        "rejected",
        "comment_created",
        "comment_updated",
        "comment_deleted",
        "comment_resolved",
        "comment_reopened",
    )
)
# No event tells of a pipeline or a deployment itself, but each run sets a status of its commit.
_OF_PIPELINES = ("repo:commit_status_created", "repo:commit_status_updated")
EVENTS: dict[str, tuple[str, ...]] = {
    "repositories": (
        "repo:created",
        "repo:updated",
        "repo:deleted",
        "repo:transfer",
        "repo:imported",
        "repo:push",
    ),
    "commits": ("repo:push",),
    **dict.fromkeys(PULL_REQUESTS, _OF_PULL_REQUESTS),
    **dict.fromkeys(PIPELINES, _OF_PIPELINES),
}


class BitbucketCloudWebhooks(Webhooks):
    """What `/hooks` takes, of a workspace and of a repository alike."""

    def events(self, streams: Collection[str]) -> tuple[str, ...]:
        found = (
            event for stream, events in EVENTS.items() if stream in streams for event in events
        )
        return tuple(dict.fromkeys(found))

    def listed(self, transport: Transport, place: HookPlace) -> list[RemoteHook]:
        pages = transport.pages(_path(place), {"pagelen": PAGE})
        return [_hook(row, page) for page in pages for row in page_of(page)[0]]

    def create(self, transport: Transport, place: HookPlace, wanted: WantedHook) -> RemoteHook:
        answer = transport.send("POST", _path(place), _body(wanted))
        return _hook(answer.json, answer)

    def update(
        self, transport: Transport, place: HookPlace, hook: str, wanted: WantedHook
    ) -> RemoteHook:
        answer = transport.send("PUT", _path(place, hook), _body(wanted))
        return _hook(answer.json, answer)

    def delete(self, transport: Transport, place: HookPlace, hook: str) -> None:
        transport.send("DELETE", _path(place, hook))

    def command(self, place: HookPlace, url: str, events: Collection[str]) -> str:
        body = _body(WantedHook(url=url, events=tuple(events), secret=SECRET))
        address = shlex.quote(f"{settings.BITBUCKET_CLOUD_API_URL}{_path(place)}")
        lines = (
            f"curl --request POST {address}",
            '  --user "$ATLASSIAN_EMAIL:$ATLASSIAN_API_TOKEN"',
            "  --header 'Content-Type: application/json'",
            f"  --data {quoted(json.dumps(body, ensure_ascii=False))}",
        )
        return " \\\n".join(lines)


def _path(place: HookPlace, hook: str = "") -> str:
    steps = ["/repositories", _step(place.workspace), _step(place.repository), "hooks"]
    if not place.repository:
        steps = ["/workspaces", _step(place.workspace), "hooks"]
    return "/".join([*steps, _step(hook)] if hook else steps)


def _step(text: str) -> str:
    return quote(text, safe="")


def _body(wanted: WantedHook) -> dict[str, Any]:
    return {
        "description": DESCRIPTION,
        "url": wanted.url,
        "active": True,
        "events": list(wanted.events),
        "secret": wanted.secret,
    }


def _hook(row: Any, answer: Answer) -> RemoteHook:
    """One webhook out of an answer. Raises UnexpectedResponse."""
    events = row.get("events") if isinstance(row, dict) else None
    if not isinstance(events, list) or not row.get("uuid"):
        told = "Bitbucket answered without the webhook that was asked for."
        raise UnexpectedResponse(told, evidence=answer.evidence())
    return RemoteHook(
        id=str(row["uuid"]),
        url=str(row.get("url") or ""),
        events=tuple(str(event) for event in events),
        is_active=row.get("active") is True,
    )
