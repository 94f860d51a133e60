"""Links with which somebody outside an organization finishes or renews a connection."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from connections.models.connection import Connection
from tenants.models import TenantModel


class ConnectLink(TenantModel):
    """A one-time link to enter one connection. Shown once; its token's hash is kept."""

    organization_from = ("connection",)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    asked_by = models.ForeignKey(
        "tenants.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_by_name = models.CharField(max_length=150, help_text="as the connect page names them")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by_name = models.CharField(max_length=200, blank=True, help_text="whom Bitbucket named")
    revoked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(revoked_at__isnull=True),
                name="link_used_or_revoked",
            )
        ]

    def __str__(self) -> str:
        return f"connect link for {self.connection.name}"

    @property
    def is_open(self) -> bool:
        """Whether it still lets somebody in."""
        return self.used_at is None and self.revoked_at is None and self.expires_at > now()


def open_links() -> "QuerySet[ConnectLink]":
    """The links that still let somebody in, to connections that are still there."""
    rows: QuerySet[ConnectLink] = ConnectLink.objects.filter(
        used_at=None, revoked_at=None, expires_at__gt=now(), connection__deleted_at=None
    )
    return rows
