"""Changes who belongs to an organization. The last owner can neither leave nor be demoted."""

from django.db import transaction
from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import ApiKey, Membership, Organization
from tenants.roles import Role
from tenants.services import audit
from tenants.services.errors import DoesNotFit, LastOwner


@transaction.atomic
def change_role(*, membership: Membership, role: str, by: Actor) -> Membership:
    """Give a member another role. Raises DoesNotFit, LastOwner."""
    if role not in Role.values:
        raise DoesNotFit("role", "Choose one of the roles.")
    row = _lock(membership)
    if row.role == role:
        return row
    if role != Role.OWNER:
        _keep_an_owner(row)
    before, row.role = row.role, Role(role)
    row.save(update_fields=["role"])
    audit.record(
        organization=row.organization_id,
        event_type="members.role_changed",
        by=by,
        target=_target(row),
        changes={"role": [before, row.role]},
    )
    return row


@transaction.atomic
def remove_member(*, membership: Membership, by: Actor) -> None:
    """Remove a member, or leave oneself. One's API keys there end with it. Raises LastOwner."""
    row = _lock(membership)
    _keep_an_owner(row)
    target = _target(row)
    keys = ApiKey.objects.filter(
        organization_id=row.organization_id, made_by_id=row.user_id, revoked_at__isnull=True
    )
    names = list(keys.values_list("name", flat=True))
    keys.update(revoked_at=now())
    row.delete()
    left = by.type == "user" and by.id == membership.user_id
    audit.record(
        organization=membership.organization_id,
        event_type="members.left" if left else "members.removed",
        by=by,
        target=target,
        changes={"api_keys": [names, "revoked"]} if names else {},
    )


def _lock(membership: Membership) -> Membership:
    """Read the row again, one change of members at a time: the organization's row is the lock."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    return Membership.objects.select_related("user").get(pk=membership.pk)


def _keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Role.OWNER
    ).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise LastOwner


def _target(membership: Membership) -> dict[str, object]:
    return {"type": "member", "id": membership.pk, "name": str(membership.user)}
