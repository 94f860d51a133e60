"""Writes the audit trail, in the transaction of the change it speaks of."""

from typing import Any

from tenants.actor import Actor
from tenants.models import AuditEvent, Organization


def record(
    *,
    organization: Organization | int,
    event_type: str,
    by: Actor,
    target: dict[str, Any],
    changes: dict[str, Any] | None = None,
) -> AuditEvent:
    """Note one change or use. `changes` never holds a secret: it says "changed" in its stead.

    `event_type` is `<resource>.<action>`; `target` has `type`, `id` and `name`.
    """
    return AuditEvent.objects.create(
        organization_id=organization if isinstance(organization, int) else organization.pk,
        event_type=event_type,
        actor_type=by.type,
        actor_id=by.id,
        actor_name=by.name,
        actor_email=by.email,
        ip_address=by.ip_address or None,
        user_agent=by.user_agent,
        request_id=by.request_id,
        target=target,
        changes=changes or {},
    )
