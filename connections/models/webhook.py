"""Webhooks at the provider, and the secrets that sign what they deliver."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from tenants.models import TenantModel
from tenants.secrets import SecretsField


def webhook_url(connection: Connection) -> str:
    """Where the webhooks of a connection deliver to."""
    return f"{settings.PUBLIC_URL}/webhooks/{connection.connector}/{connection.public_id}"


class WebhookSecret(TenantModel):
    """A secret that we gave to the webhooks of a connection. All of them share the current one.

    One that was rotated out still signs for a while, since a delivery may be on its way.
    """

    organization_from = ("connection",)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="webhook_secrets"
    )
    secrets = SecretsField(help_text="secret")
    valid_until = models.DateTimeField(
        null=True, help_text="until when a delivery may be signed with it; none: it is the current"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("connection",),
                condition=Q(valid_until__isnull=True),
                name="webhook_secret_one_is_current",
            )
        ]

    def __str__(self) -> str:
        return f"webhook secret {self.pk}"


class WebhookSubscription(TenantModel):
    """One webhook at the provider that delivers to us, as it was when we last looked."""

    class Scope(models.TextChoices):
        WORKSPACE = "workspace", "All repositories"
        REPOSITORY = "repository", "One repository"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Switched off at Bitbucket"
        INCOMPLETE = "incomplete", "Lacks events"
        GONE = "gone", "Gone at Bitbucket"

    organization_from = ("connection",)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="webhooks")
    scope = models.CharField(max_length=10, choices=Scope.choices)
    subject = models.CharField(max_length=100, help_text="uuid of the workspace or repository")
    name = models.CharField(max_length=200, help_text="what people call that one")
    uuid = models.CharField(max_length=100, help_text="Bitbucket's own id of the webhook")
    events = models.JSONField(default=list, help_text="what it is subscribed to")
    secret = models.ForeignKey(
        WebhookSecret,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="which it was given last",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    seen_at = models.DateTimeField(help_text="when we last looked at it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering = ("connection_id", "scope", "name", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("connection", "subject"), name="webhook_once_per_place")
        ]

    def __str__(self) -> str:
        return f"webhook of {self.name}"
