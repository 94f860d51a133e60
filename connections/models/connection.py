"""Connected things."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from connections.connectors import connector, place_in
from tenants.models import TenantModel


def everything() -> dict[str, Any]:
    """The selection of a new connection: all repositories, all streams, all history."""
    return {"repositories": {"mode": "all"}, "streams": [], "since": None}


def no_schedule() -> dict[str, Any]:
    return {"kind": "off"}


def kept_since() -> datetime:
    """What was deleted after this moment can be restored."""
    return now() - timedelta(days=settings.DELETED_CONNECTIONS_KEPT)


class Connection(TenantModel):
    """One connected thing: a workspace, a server, a site."""

    class Status(models.TextChoices):
        PENDING = "pending", "Not finished"
        AVAILABLE = "available", "Connected"
        ERROR = "error", "Needs you"
        DISABLED = "disabled", "Paused"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connector = models.CharField(max_length=40, help_text="key of the connector")
    name = models.CharField(max_length=100)
    identity = models.CharField(
        max_length=100, blank=True, help_text="Bitbucket's own id: the workspace's uuid"
    )
    settings = models.JSONField(default=dict, help_text="what the connector's form asked for")
    renamed_from = models.CharField(
        max_length=200, blank=True, help_text="what it was called at Bitbucket, until it is read"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    status_code = models.CharField(max_length=40, blank=True)
    status_message = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True, help_text="first of the failures in a row")
    failures = models.PositiveIntegerField(default=0, help_text="failures in a row")
    verified_at = models.DateTimeField(null=True)
    next_verification_at = models.DateTimeField(null=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    handed_over = models.JSONField(
        default=list, help_text="streams that a connection beneath it copies in its stead"
    )
    schedule = models.JSONField(
        default=no_schedule,
        help_text="kind: off, every (minutes) or cron (cron, timezone); less_often: by stream",
    )
    selection = models.JSONField(
        default=everything, help_text="repositories (mode, ids, include, exclude), streams, since"
    )
    streams_read = models.JSONField(
        default=dict, help_text="when streams that are read less often were last begun, by name"
    )
    removals = models.JSONField(
        default=list,
        help_text="endpoints that answers told the end of: method, path, change, on, url, is_over, "
        "since",
    )
    last_synced_at = models.DateTimeField(null=True)
    next_sync_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, help_text="rises with each edit by a person")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_by_name = models.CharField(
        max_length=150, blank=True, help_text="the person, or “API key terraform”"
    )
    finished_at = models.DateTimeField(null=True, help_text="when its first secret worked")
    finished_by_name = models.CharField(max_length=200, blank=True)
    disabled_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("connector", "name", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("organization", "name"),
                condition=Q(deleted_at__isnull=True),
                name="connection_name_taken",
            ),
            models.UniqueConstraint(
                fields=("organization", "connector", "identity"),
                condition=Q(deleted_at__isnull=True) & ~Q(identity=""),
                name="connection_already_connected",
            ),
        ]
        indexes = [
            models.Index(
                fields=("next_sync_at",),
                condition=Q(deleted_at__isnull=True, next_sync_at__isnull=False),
                name="connection_due",
            )
        ]

    @property
    def home_id(self) -> int:
        """The connection to whose repositories and people its records point."""
        return int(self.parent_id or self.pk)

    @property
    def place(self) -> str:
        """The name of the connected thing at the provider: the workspace; empty while unknown."""
        return place_in(self.connector, self.settings)

    def at(self, place: str) -> dict[str, Any]:
        """Its settings, with this name of the connected thing."""
        return {**self.settings, connector(self.connector).place: place}

    @property
    def restorable_until(self) -> datetime | None:
        """Until when it can be restored, once it was deleted."""
        if self.deleted_at is None:
            return None
        return self.deleted_at + timedelta(days=settings.DELETED_CONNECTIONS_KEPT)

    @property
    def is_restorable(self) -> bool:
        """Whether it was deleted, and not too long ago."""
        return self.deleted_at is not None and self.deleted_at > kept_since()

    def __str__(self) -> str:
        return self.name
