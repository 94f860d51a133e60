"""The audit trail."""

from typing import Any, Never

from django.db import models

from tenants.models.base import TenantModel, TenantQuerySet


class AuditTrailStands(RuntimeError):
    """Code tried to change or delete what was noted."""

    def __init__(self) -> None:
        super().__init__("Rows of the audit trail are neither changed nor deleted.")


class AuditQuerySet(TenantQuerySet):
    """Rows that are added and read."""

    def update(self, **values: Any) -> Never:
        raise AuditTrailStands

    def delete(self) -> Never:
        raise AuditTrailStands

    def erase(self) -> int:
        """Delete them all the same; the database allows it only behind `tenants.wall.opened`."""
        return super().delete()[0]


class AuditEvent(TenantModel):
    """One thing that somebody did. Kept as values: what it speaks of may be gone."""

    actor_type = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150, blank=True)
    actor_email = models.CharField(max_length=254, blank=True)
    event_type = models.CharField(max_length=60, help_text="<resource>.<action>")
    target = models.JSONField(default=dict, help_text="type, id, name")
    changes = models.JSONField(default=dict, help_text="name: [before, after]; secrets: 'changed'")
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    time = models.DateTimeField(auto_now_add=True)

    objects = AuditQuerySet.as_manager()  # type: ignore[misc]  # instead of the base’s

    class Meta(TenantModel.Meta):
        ordering = ("-time", "-id")
        indexes = [
            models.Index(fields=("organization", "-time", "-id"), name="audit_recent"),
            models.Index(fields=("organization", "event_type", "-time"), name="audit_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or self.actor_type}: {self.event_type}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditTrailStands
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AuditTrailStands
