"""Writes the audit trail, in the transaction of the change it speaks of."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from tenants import wall
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization

BATCH = 5_000  # events that are erased in one transaction


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


def erase_old_events() -> int:
    """Erase what was noted longer ago than `AUDIT_KEPT_DAYS`, of all organizations. How many."""
    old = AuditEvent.objects.filter(time__lt=now() - timedelta(days=settings.AUDIT_KEPT_DAYS))
    erased = 0
    while oldest := list(old.order_by("time").values_list("pk", flat=True)[:BATCH]):
        with wall.opened():
            erased += AuditEvent.objects.filter(pk__in=oldest).erase()
    return erased
