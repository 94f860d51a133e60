"""OAuth consumers of organizations: in whose name Bitbucket is asked for consent."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from tenants.models import TenantModel
from tenants.secrets import SecretsField


class OAuthConsumer(TenantModel):
    """A consumer that an organization made at the provider. Its consents go through it.

    A retired one asks for no further consent; it renews what was given to it before.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connector = models.CharField(max_length=40)
    client_id = models.CharField(max_length=100)
    secrets = SecretsField(help_text="client_secret")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("organization", "connector", "client_id"), name="consumer_once"
            ),
            models.UniqueConstraint(
                fields=("organization", "connector"),
                condition=Q(retired_at__isnull=True),
                name="one_consumer_asks",
            ),
        ]

    def __str__(self) -> str:
        return self.client_id
