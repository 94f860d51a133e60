"""Changes who belongs to an organization. The last owner can neither leave nor be demoted."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import AccessKey, ApiKey, Invitation, Key, Membership, Organization
from tenants.roles import Permission, Role, allows
from tenants.services import audit
from tenants.services.errors import DoesNotFit, LastOwner, NoMember


@transaction.atomic
def change_role(*, membership: Membership, role: str, by: Actor) -> Membership:
    """Give a member another role. Whoever may no longer invite loses the open invitations.

    Raises DoesNotFit, LastOwner, NoMember.
    """
    if role not in Role.values:
        raise DoesNotFit("role", "Choose one of the roles.")
    row = _lock(membership)
    if row.role == role:
        return row
    if role != Role.OWNER:
        _keep_an_owner(row)
    before, row.role = row.role, Role(role)
    row.save(update_fields=["role"])
    may_invite = allows(row.role, Permission.MANAGE_MEMBERS)
    ended = {} if may_invite else _revoked("invitations", _invitations_of(row))
    audit.record(
        organization=row.organization_id,
        event_type="members.role_changed",
        by=by,
        target=_target(row),
        changes={"role": [before, row.role], **ended},
    )
    return row


@transaction.atomic
def remove_member(*, membership: Membership, by: Actor) -> None:
    """Remove a member, or leave oneself. One's keys and open invitations there end with it.

    Raises LastOwner, NoMember.
    """
    row = _lock(membership)
    _keep_an_owner(row)
    target = _target(row)
    ended = _revoked("api_keys", _keys_of(ApiKey, row))
    ended |= _revoked("access_keys", _keys_of(AccessKey, row), secrets=None)
    ended |= _revoked("invitations", _invitations_of(row))
    row.delete()
    left = by.type == "user" and by.id == membership.user_id
    audit.record(
        organization=membership.organization_id,
        event_type="members.left" if left else "members.removed",
        by=by,
        target=target,
        changes=ended,
    )


def _revoked(what: str, rows: QuerySet[Any], **erased: None) -> dict[str, Any]:
    """Revoke keys or invitations; what the audit trail says of it."""
    names = [str(row) for row in rows]
    rows.update(revoked_at=now(), **erased)
    return {what: [names, "revoked"]} if names else {}


def _keys_of(kind: type[Key], membership: Membership) -> QuerySet[Any]:
    return kind._default_manager.filter(
        organization_id=membership.organization_id,
        made_by_id=membership.user_id,
        revoked_at__isnull=True,
    )


def _invitations_of(membership: Membership) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        organization_id=membership.organization_id,
        invited_by_id=membership.user_id,
        used_at__isnull=True,
        revoked_at__isnull=True,
    )


def _lock(membership: Membership) -> Membership:
    """Read the row again, one change of members at a time: the organization's row is the lock."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    row = Membership.objects.select_related("user").filter(pk=membership.pk).first()
    if row is None:
        raise NoMember
    return row


def _keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Role.OWNER
    ).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise LastOwner


def _target(membership: Membership) -> dict[str, object]:
    return {"type": "member", "id": membership.pk, "name": str(membership.user)}
