"""The public catalogue of webhook events, and the endpoints that Bitbucket has removed."""

from __future__ import annotations

from tests.sandbox.answers import Answer, data, error, removed
from tests.sandbox.routes.call import Call, Endpoint

EVENTS = (
    "repo:push repo:fork repo:updated repo:created repo:deleted repo:transfer repo:imported "
    "repo:commit_comment_created repo:commit_status_created repo:commit_status_updated "
    "pullrequest:created pullrequest:updated pullrequest:push pullrequest:approved "
    "pullrequest:unapproved pullrequest:changes_request_created "
    "pullrequest:changes_request_removed pullrequest:fulfilled pullrequest:rejected "
    "pullrequest:comment_created pullrequest:comment_updated pullrequest:comment_deleted "
    "pullrequest:comment_resolved pullrequest:comment_reopened project:updated "
    "pipeline:span_created"
).split()


def hook_events(call: Call) -> Answer:
    """Where the events of each subject are listed."""
    places = call.site.renderer.places
    kinds = ("repository", "workspace")
    return data({k: {"links": {"events": places.link("hook_events", k)}} for k in kinds})


def hook_events_of(call: Call) -> Answer:
    """The events of one subject."""
    if call.names[0] not in ("repository", "workspace"):
        return error(404, "Resource not found")
    rows = [
        {
            "event": event,
            "category": event.partition(":")[0].title(),
            "label": event.partition(":")[2].replace("_", " ").title(),
            "description": f"Whenever {event} happens",
        }
        for event in EVENTS
    ]
    return call.page(rows, lambda row: row, default=30)


def gone(call: Call) -> Answer:
    """410 for ever."""
    return removed()


ENDPOINTS = (
    Endpoint("/hook_events", hook_events),
    Endpoint("/hook_events/{subject}", hook_events_of),
    Endpoint("/repositories", gone),
    Endpoint("/workspaces", gone),
    Endpoint("/user/permissions/workspaces", gone),
    Endpoint("/user/permissions/repositories", gone),
    Endpoint("/pullrequests/{user}", gone),
)
