"""What every table of a tenant has."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from django.db import models

from tenants import access
from tenants.models.organization import Organization


class TenantQuerySet(models.QuerySet[Any]):
    """Rows of tenants; they are reached through the organization that was entered."""

    def for_organization(self, organization: Organization | int) -> Self:
        """The rows of this organization. Raises OutsideOrganization unless it was entered."""
        return self.filter(organization_id=access.require(organization))


class TenantModel(models.Model):
    """A row that belongs to exactly one organization, filled from its parent when saved."""

    organization_from: ClassVar[tuple[str, ...]] = ()

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", editable=False
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering: ClassVar[Sequence[str]] = ("id",)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.organization_id is None:
            self.organization_id = self._parent_organization()
        super().save(*args, **kwargs)

    def _parent_organization(self) -> int:
        for name in self.organization_from:
            parent = getattr(self, name)
            if parent is not None:
                return int(parent.organization_id)
        raise ValueError(f"{type(self).__name__} needs an organization or a parent that has one.")
