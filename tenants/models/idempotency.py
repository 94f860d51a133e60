"""Writes of the API that may be sent twice and happen once."""

import uuid
from typing import ClassVar

from django.db import models

from tenants.models.api_key import ApiKey
from tenants.models.base import TenantModel
from tenants.secrets import SecretsField


class IdempotentCall(TenantModel):
    """One write that came with an `Idempotency-Key`: while it runs, and its answer afterwards."""

    organization_from = ("api_key",)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=60, help_text="such as connections.create")
    key = models.CharField(max_length=255, help_text="the Idempotency-Key")
    sent_hash = models.CharField(max_length=64, help_text="keyed hash of address and body")
    begun_at = models.DateTimeField(help_text="when it began to run")
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status; null: it runs")
    answer = SecretsField(help_text="body: it may hold what is shown once")

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("api_key", "method", "key"), name="idempotency_key_once"
            )
        ]
        indexes = [models.Index(fields=("begun_at",), name="idempotent_call_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.pk}"
