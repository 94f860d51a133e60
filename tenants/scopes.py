"""What a key may do: its scopes, its stored role, and what its maker may do now."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from tenants.models import Key, Membership, Scope
from tenants.roles import Permission, Role, allows, at_most

NEEDS: dict[Scope, Permission] = {
    Scope.CONNECTIONS_READ: Permission.READ,
    Scope.CONNECTIONS_WRITE: Permission.CONNECT,
    Scope.CREDENTIALS_READ: Permission.READ,
    Scope.CREDENTIALS_WRITE: Permission.CONNECT,
    Scope.SYNCS_READ: Permission.READ,
    Scope.SYNCS_WRITE: Permission.SYNC,
    Scope.RECORDS_READ: Permission.READ,
    Scope.AUDIT_READ: Permission.READ_AUDIT_LOG,
}


def scopes_for(role: str) -> list[Scope]:
    """The scopes that a key of this role may hold."""
    return [scope for scope in Scope if allows(role, NEEDS[scope])]


def present_role(key: Key) -> str | None:
    """The lower of the key's role and its maker's role now; None if the maker is no member.

    A key that an operator made on the command line has no maker: its own role counts.
    """
    if key.made_by_id is None:
        return key.role
    maker: str | None = getattr(key, "maker_role", None) or _role_of_maker(key)
    if maker is None:
        return None
    return maker if at_most(maker, key.role) else key.role


def with_maker_role(keys: "QuerySet[Any]") -> "QuerySet[Any]":
    """The keys with what their maker may do at this moment, in the same statement."""
    mine = Membership.objects.filter(
        organization_id=OuterRef("organization_id"),
        user_id=OuterRef("made_by_id"),
        user__is_active=True,
    )
    found: QuerySet[Any] = keys.annotate(maker_role=Subquery(mine.values("role")[:1]))
    return found


def _role_of_maker(key: Key) -> str | None:
    maker = Membership.objects.filter(
        organization_id=key.organization_id, user_id=key.made_by_id or 0, user__is_active=True
    ).first()
    return None if maker is None else maker.role


def permits(key: Key, scope: Scope) -> bool:
    """Whether this key may do now what the scope allows."""
    role = present_role(key)
    return role is not None and scope in key.scopes and role_permits(role, scope)


def role_permits(role: str, scope: Scope) -> bool:
    """Whether a role allows what the scope names."""
    return allows(Role(role), NEEDS[scope])
