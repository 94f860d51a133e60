"""Webhooks of workspaces and repositories: who may subscribe, to what, and what is shown of it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson

from tests.sandbox.answers import Answer, Refused, data, error, lacks_scopes
from tests.sandbox.auth import lacks
from tests.sandbox.routes.call import Call, Endpoint, reading
from tests.sandbox.routes.catalogue import EVENTS
from tests.sandbox.shapes.hooks import hook as shape
from tests.sandbox.tokens import ACCESS_TOKENS
from tests.sandbox.world import Hook, Repository, Workspace

FIELDS = {"description": str, "url": str, "active": bool, "events": list, "secret": str}
OF_EVENTS = {"repo": "repository", "pullrequest": "pullrequest", "project": "project"}
OF_EVENTS |= {"pipeline": "pipeline"}  # the scope that reads what such an event tells
WRITING = {
    "classic": ("webhook",),
    "granular": ("read:webhook:bitbucket", "write:webhook:bitbucket"),
}
DELETING = {"classic": ("webhook",), "granular": ("delete:webhook:bitbucket",)}


def listed(call: Call) -> Answer:
    """The webhooks of a place."""
    place = _place(call)
    return call.page(list(place.hooks.values()), call.render(shape, place))


def one(call: Call) -> Answer:
    """One webhook."""
    place, found = _found(call)
    return call.one(shape, place, found)


def create(call: Call) -> Answer:
    """A new webhook. The address may be internal here, which the real one refuses."""
    place, given = _administered(call), _given(call)
    for name in ("url", "events"):
        if not given.get(name):
            raise Refused(_invalid(name, "required key not provided"))
    made = Hook(
        uuid=f"{{{uuid4()}}}",
        url=given["url"],
        description=given.get("description") or "",
        events=given["events"],
        created_at=call.site.clock.now(),
        active=given.get("active", True),
        secret=given.get("secret") or "",
    )
    place.hooks[made.uuid] = made
    call.site.changed()
    return Answer(201, call.one(shape, place, made).body)


def update(call: Call) -> Answer:
    """Change one: what is left out stays, a null secret is removed."""
    _administered(call)
    place, found = _found(call)
    given = _given(call)
    for name, value in given.items():
        setattr(found, name, value or "" if name in ("secret", "description") else value)
    call.site.changed()
    return call.one(shape, place, found)


def delete(call: Call) -> Answer:
    """It is gone."""
    _administered(call)
    place, found = _found(call)
    del place.hooks[found.uuid]
    call.site.changed()
    return Answer(204, b"")


def _is_of_workspace(call: Call) -> bool:
    return "/hooks" in call.path and call.path.startswith("/2.0/workspaces/")


def _place(call: Call) -> Workspace | Repository:
    """Those of a workspace are for its owners alone, and so never for access tokens."""
    if not _is_of_workspace(call):
        return call.repository()
    place = call.workspace()
    if call.person_token().permission_in(place) != "owner":
        raise Refused(error(403, "Forbidden"))
    return place


def _administered(call: Call) -> Workspace | Repository:
    """A place that the credential may change: people must own its workspace."""
    place, token = _place(call), call.person_token()
    home = place.workspace if isinstance(place, Repository) else place
    if token.kind not in ACCESS_TOKENS and token.permission_in(home) != "owner":
        raise Refused(error(403, "Forbidden"))
    return place


def _found(call: Call) -> tuple[Workspace | Repository, Hook]:
    place, name = _place(call), call.names[-1]
    found = place.hooks.get(name)
    if found is None:
        raise Refused(error(404, f"{name} is not a valid hook"))
    return place, found


def _given(call: Call) -> dict[str, Any]:
    try:
        body = orjson.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(error(400, "Bad request"))
    given = {name: value for name, value in body.items() if name in FIELDS}
    for name, value in given.items():
        is_removed = value is None and name in ("secret", "description")
        if not is_removed and not isinstance(value, FIELDS[name]):
            raise Refused(_invalid(name, "Invalid value"))
    _check_events(call, given.get("events") or [])
    if not str(given.get("url", "http://")).startswith(("http://", "https://")):
        raise Refused(_invalid("url", "Enter a valid URL."))
    return given


def _check_events(call: Call, events: list[Any]) -> None:
    """Known ones only, and those of which the credential may read what they tell."""
    unknown = [str(event) for event in events if event not in EVENTS]
    if unknown:
        raise Refused(_invalid("events", f"Unknown events: {', '.join(unknown)}"))
    kinds = sorted({OF_EVENTS[event.partition(":")[0]] for event in events})
    classic = ("webhook", *kinds)
    granular = ("write:webhook:bitbucket", *(f"read:{kind}:bitbucket" for kind in kinds))
    token = call.person_token()
    missing = lacks(token, classic, granular)
    if missing:
        raise Refused(lacks_scopes(missing, token.scopes))


def _invalid(name: str, told: str) -> Answer:
    body = {"message": f"Invalid {name}", "fields": {name: [told]}}
    return data({"type": "error", "error": body}, 400)


PLACES = ("/workspaces/{workspace}", "/repositories/{workspace}/{repository}")
ENDPOINTS = tuple(
    endpoint
    for place in PLACES
    for endpoint in (
        Endpoint(f"{place}/hooks", listed, **reading("webhook")),
        Endpoint(f"{place}/hooks", create, **WRITING, methods=("POST",)),
        Endpoint(f"{place}/hooks/{{hook}}", one, **reading("webhook")),
        Endpoint(f"{place}/hooks/{{hook}}", update, **WRITING, methods=("PUT",)),
        Endpoint(f"{place}/hooks/{{hook}}", delete, **DELETING, methods=("DELETE",)),
    )
)
