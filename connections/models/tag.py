"""Tags of connections."""

from typing import ClassVar

from django.db import models

from connections.models.connection import Connection
from tenants.models import TenantModel


class Tag(TenantModel):
    """A word that people hang on a connection, with a value."""

    organization_from = ("connection",)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tags")
    key = models.CharField(max_length=128)
    value = models.CharField(max_length=256, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ("connection_id", "key")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("connection", "key"), name="tag_once_per_connection")
        ]
        indexes = [models.Index(fields=("organization", "key", "value"), name="tag_found")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}" if self.value else self.key
