"""auditLogs.list."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.paging import paginate
from tenants.api.reading import Instant, PageSerializer, read
from tenants.api.rows import timestamp
from tenants.api.view import ApiView
from tenants.models import AuditEvent, Scope


class AuditLogList(PageSerializer):
    """auditLogs.list."""

    event_type = serializers.CharField(max_length=60, required=False)
    since = Instant(required=False)


class AuditLogsList(ApiView):
    """Who changed what, and what used which secret, newest first."""

    scope = Scope.AUDIT_READ

    def get(self, request: Request) -> Response:
        asked = read(request, AuditLogList)
        events = AuditEvent.objects.for_organization(self.organization)
        if "event_type" in asked:
            events = events.filter(event_type=asked["event_type"])
        if "since" in asked:
            events = events.filter(time__gte=asked["since"])
        page, cursor = paginate(events, request, ("-time", "-id"))
        return Response(
            {
                "audit_logs": [audit_row(event) for event in page],
                "response_metadata": {"next_cursor": cursor},
            }
        )


def audit_row(event: AuditEvent) -> dict[str, Any]:
    """An event."""
    return {
        "actor": {
            "type": event.actor_type,
            "id": event.actor_id,
            "name": event.actor_name,
            "email": event.actor_email or None,
        },
        "event_type": event.event_type,
        "target": event.target,
        "changes": event.changes,
        "time": timestamp(event.time),
        "ip_address": event.ip_address,
        "user_agent": event.user_agent or None,
        "request_id": event.request_id or None,
    }
