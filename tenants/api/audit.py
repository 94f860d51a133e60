"""auditLogs.list."""

from typing import Any, get_args

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.actor import ActorType
from tenants.api.paging import list_answer, paginate
from tenants.api.reading import Instant, PageSerializer
from tenants.api.rows import timestamp
from tenants.api.shapes import Identifier, ListAnswer, Moment, Row, Thing, Words
from tenants.api.view import ApiView
from tenants.models import AuditEvent, Scope


class AuditLogList(PageSerializer):
    """auditLogs.list."""

    event_type = serializers.CharField(max_length=60, required=False)
    since = Instant(required=False)


class ActorRow(Row):
    """Who did it, as it was then."""

    type = Words("api_key", lambda: [*get_args(ActorType)])
    id = Identifier(3, allow_null=True)
    name = Words("terraform")
    email = Words(None, allow_null=True)


class AuditLogRow(Row):
    """One change, or one use of a secret. Secrets appear as “changed”."""

    actor = ActorRow()
    event_type = Words("credentials.updated")
    target = Thing({"type": "credential", "id": 12, "name": "CI token"})
    changes = Thing({"secrets": "changed"}, help_text="name: [before, after]")
    time = Moment()
    ip_address = Words("203.0.113.7", allow_null=True)
    user_agent = Words("curl/8.5.0", allow_null=True)
    request_id = Words("5e0c3a52-9d1f-4c69-8a53-0f6a3f8f9b10", allow_null=True)


class AuditLogsAnswer(ListAnswer):
    """A page of the audit trail, newest first."""

    audit_logs = AuditLogRow(many=True)


class AuditLogsList(ApiView):
    """Who changed what, and what used which secret, newest first."""

    scope = Scope.AUDIT_READ
    takes = AuditLogList
    gives = AuditLogsAnswer
    example = {"event_type": "credentials.updated", "since": "2026-11-01T00:00:00Z"}

    def get(self, request: Request) -> Response:
        asked = self.read()
        events = AuditEvent.objects.for_organization(self.organization)
        if "event_type" in asked:
            events = events.filter(event_type=asked["event_type"])
        if "since" in asked:
            events = events.filter(time__gte=asked["since"])
        page, cursor = paginate(events, request, ("-time", "-id"))
        return list_answer(cursor, audit_logs=[audit_row(event) for event in page])


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
