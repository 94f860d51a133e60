"""What each role may do: one table."""

from django.db import models


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    VIEWER = "viewer", "Viewer"


RANK = {Role.VIEWER: 0, Role.ADMIN: 1, Role.OWNER: 2}


class Permission(models.TextChoices):
    """Everything that a role can allow, named as a person would say it."""

    READ = "read", "Read pages and records"
    CONNECT = "connect", "Connect, verify, rotate, pause and delete connections"
    SYNC = "sync", "Start and stop syncs"
    EXPORT = "export", "Export records"
    READ_WEBHOOKS = "read_webhooks", "Read what webhooks sent"
    READ_AUDIT_LOG = "read_audit_log", "Read the audit log"
    MAKE_API_KEYS = "make_api_keys", "Make and revoke API keys up to one's own role"
    MANAGE_MEMBERS = "manage_members", "Invite, change and remove members"
    MANAGE_ORGANIZATION = "manage_organization", "Change and erase the organization"


LOWEST_ROLE: dict[Permission, Role] = {
    Permission.READ: Role.VIEWER,
    Permission.CONNECT: Role.ADMIN,
    Permission.SYNC: Role.ADMIN,
    Permission.EXPORT: Role.ADMIN,
    Permission.READ_WEBHOOKS: Role.ADMIN,
    Permission.READ_AUDIT_LOG: Role.ADMIN,
    Permission.MAKE_API_KEYS: Role.ADMIN,
    Permission.MANAGE_MEMBERS: Role.OWNER,
    Permission.MANAGE_ORGANIZATION: Role.OWNER,
}


def allows(role: str, permission: Permission) -> bool:
    """Whether a member with this role may do this."""
    return RANK[Role(role)] >= RANK[LOWEST_ROLE[permission]]


def at_most(role: str, ceiling: str) -> bool:
    """Whether `role` is not above `ceiling`."""
    return RANK[Role(role)] <= RANK[Role(ceiling)]
