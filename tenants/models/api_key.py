"""Keys with which scripts use the API."""

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from tenants.models.base import TenantModel
from tenants.roles import Role


class Scope(models.TextChoices):
    """What a key may do, at most."""

    CONNECTIONS_READ = "connections:read", "Read connections"
    CONNECTIONS_WRITE = "connections:write", "Create, change and delete connections"
    CREDENTIALS_READ = "credentials:read", "Read credentials, never their secrets"
    CREDENTIALS_WRITE = "credentials:write", "Create, rotate and delete credentials"
    SYNCS_READ = "syncs:read", "Read syncs, coverage and quota"
    SYNCS_WRITE = "syncs:write", "Start and stop syncs"
    RECORDS_READ = "records:read", "Read records"
    AUDIT_READ = "audit:read", "Read the audit log"


class Key(TenantModel):
    """What every kind of key has: who made it, what it may do, until when."""

    kind: ClassVar[str]

    name = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    role = models.CharField(max_length=10, choices=Role.choices)
    made_by = models.ForeignKey(
        "tenants.User", on_delete=models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        abstract = True
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name

    @property
    def has_expired(self) -> bool:
        """Whether its end has come."""
        return self.expires_at is not None and self.expires_at <= now()


class ApiKey(Key):
    """An API key. The key itself is shown once; its hash is kept."""

    kind = "API key"

    prefix = models.CharField(max_length=8, unique=True, editable=False)
    hash = models.CharField(max_length=150, editable=False)
