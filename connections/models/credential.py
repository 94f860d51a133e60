"""Secrets with their settings, and the authorizations behind some of them."""

import uuid
from datetime import UTC, datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from connections.models.connection import Connection
from tenants.models import TenantModel
from tenants.secrets import SecretsField


class Grant(TenantModel):
    """An OAuth authorization of one account, for the workspaces that its owner ticked."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connector = models.CharField(max_length=40)
    consumer = models.CharField(max_length=100, help_text="client id of the OAuth consumer")
    identity = models.CharField(max_length=100, help_text="uuid of the account that consented")
    identity_name = models.CharField(max_length=200, blank=True)
    reaches = models.JSONField(
        default=list, help_text="all workspaces of the account: id, slug, is_administrator"
    )
    workspaces = models.JSONField(
        default=list, help_text="those of them that its owner ticked: it is used for no other"
    )
    scopes = models.JSONField(default=list)
    secrets = SecretsField(help_text="access_token, refresh_token")
    expires_at = models.DateTimeField(null=True)
    refresh_owner = models.UUIDField(null=True, help_text="who holds the lease to refresh")
    refresh_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="since when Bitbucket refuses it")
    unused_since = models.DateTimeField(
        null=True, help_text="since when no credential uses it; erased some time after"
    )
    made_by = models.ForeignKey(
        "tenants.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"Bitbucket authorization of {self.identity_name or self.identity}"

    def is_ticked(self, workspace: str) -> bool:
        """Whether it may be used for this workspace, by id or slug."""
        named = {one[name].lower() for one in self.workspaces for name in ("id", "slug")}
        return workspace.lower() in named


class Credential(TenantModel):
    """One secret with its settings. A connection may have several."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        EXPIRED = "expired", "Expired"
        INVALID = "invalid", "Refused"
        LIMITED = "limited", "Lacks a scope"
        DISABLED = "disabled", "Off"

    organization_from = ("connection",)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="credentials")
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, null=True, related_name="credentials"
    )
    method = models.CharField(max_length=40)
    label = models.CharField(max_length=100)
    settings = models.JSONField(default=dict)
    secrets = SecretsField()
    secret_hash = models.CharField(
        max_length=64, blank=True, help_text="keyed hash, finds the same secret elsewhere"
    )
    identity = models.CharField(max_length=100, blank=True, help_text="uuid of whom it acts as")
    acts_as = models.CharField(max_length=200, blank=True, help_text="name of whom it acts as")
    kind = models.CharField(
        max_length=20, blank=True, help_text="workspace, project or repository, of access tokens"
    )
    sees = models.PositiveIntegerField(null=True, help_text="repositories, when last verified")
    quota_subject = models.CharField(
        max_length=64, blank=True, help_text="keyed hash of what Bitbucket counts requests by"
    )
    scopes = models.JSONField(default=list)
    missing_scopes = models.JSONField(default=list)
    expiration_date = models.DateField(null=True, help_text="valid through this date, UTC")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    status_message = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("created_at", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(secrets__isnull=True),
                name="credential_deleted_keeps_no_secret",
            )
        ]

    def __str__(self) -> str:
        return self.label

    def has_expired(self, moment: datetime) -> bool:
        """Whether its date lies behind. It is valid through that date, 24:00 UTC."""
        last = self.expiration_date
        return last is not None and last < moment.astimezone(UTC).date()


def usable_credentials(connection: Connection) -> "models.QuerySet[Credential]":
    """The credentials with which a connection can be entered now, the oldest first."""
    usable = (Credential.Status.ACTIVE, Credential.Status.LIMITED)
    today = now().astimezone(UTC).date()
    rows: models.QuerySet[Credential] = Credential.objects.filter(
        Q(expiration_date=None) | Q(expiration_date__gte=today),
        connection=connection,
        status__in=usable,
        deleted_at=None,
        disabled_at=None,
    )
    return rows.select_related("connection", "grant")


class ExpiryWarning(TenantModel):
    """One reminder that a credential expires: made once for each date and distance."""

    organization_from = ("credential",)

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="warnings")
    expiration_date = models.DateField()
    days = models.PositiveSmallIntegerField(help_text="how many days before, at most")
    taken_at = models.DateTimeField(null=True, help_text="since when a worker sends it")
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("credential", "expiration_date", "days"), name="expiry_warned_once"
            )
        ]

    def __str__(self) -> str:
        return f"credential {self.credential_id} expires in {self.days} days"
