"""Access keys, with which AWS's clients sign, and the signed calls that changed something."""

import uuid
from typing import ClassVar

from django.db import models

from tenants.models.api_key import Key
from tenants.models.base import TenantModel
from tenants.secrets import SecretsField


class AccessKey(Key):
    """An access key. Its secret is kept encrypted, not hashed: checking a signature needs it."""

    kind = "access key"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key_id = models.CharField(max_length=20, unique=True, editable=False)
    secrets = SecretsField(help_text="secret")


class SignedCall(TenantModel):
    """A signed call that changed something, and its answer: sent again, it changes nothing."""

    organization_from = ("access_key",)

    access_key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="+")
    signature = models.CharField(max_length=64)
    answer = models.JSONField(default=dict)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("access_key", "signature"), name="signed_call_once")
        ]
        indexes = [models.Index(fields=("made_at",), name="signed_call_age")]

    def __str__(self) -> str:
        return f"signed call {self.pk}"
