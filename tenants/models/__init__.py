"""The tables of tenants."""

from tenants.models.api_key import ApiKey, Scope
from tenants.models.audit import AuditEvent, AuditTrailStands
from tenants.models.base import TenantModel, TenantQuerySet
from tenants.models.idempotency import IdempotentCall
from tenants.models.invitation import Invitation
from tenants.models.organization import Membership, Organization
from tenants.models.user import User

__all__ = (
    "ApiKey",
    "AuditEvent",
    "AuditTrailStands",
    "IdempotentCall",
    "Invitation",
    "Membership",
    "Organization",
    "Scope",
    "TenantModel",
    "TenantQuerySet",
    "User",
)
