"""Links that let somebody join an organization."""

import uuid

from django.db import models

from tenants.models.base import TenantModel
from tenants.roles import Role


class Invitation(TenantModel):
    """An invitation: a link, shown once, that makes its first user a member."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices)
    email = models.EmailField(
        blank=True, help_text="For whom it is meant; anyone with the link may use it."
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        "tenants.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(
        "tenants.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        indexes = [models.Index(fields=("organization", "-created_at"), name="invitation_recent")]

    def __str__(self) -> str:
        return self.email or f"anyone, as {Role(self.role).label.lower()}"
