"""The tables of tenants."""

from tenants.models.access_key import AccessKey, SignedCall
from tenants.models.api_key import ApiKey, Key, Scope
from tenants.models.audit import AuditEvent, AuditTrailStands
from tenants.models.base import TenantModel, TenantQuerySet
from tenants.models.idempotency import IdempotentCall
from tenants.models.invitation import Invitation
from tenants.models.organization import Membership, Organization
from tenants.models.user import User

__all__ = (
    "AccessKey",
    "ApiKey",
    "AuditEvent",
    "AuditTrailStands",
    "IdempotentCall",
    "Invitation",
    "Key",
    "Membership",
    "Organization",
    "Scope",
    "SignedCall",
    "TenantModel",
    "TenantQuerySet",
    "User",
)
