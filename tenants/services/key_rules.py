"""What keys of either kind may hold, and whom they are above."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import Membership, Organization, Scope
from tenants.roles import Role, at_most
from tenants.scopes import scopes_for
from tenants.services.errors import DoesNotFit, RoleTooHigh


def check_role(organization: Organization, role: str, by: Actor) -> None:
    if role not in Role.values:
        raise DoesNotFit("role", "Choose one of the roles.")
    if not reaches(organization.pk, role, by):
        raise RoleTooHigh("A key can have at most your own role.", fields={"role": "Too high."})


def reaches(organization: int, role: str, by: Actor) -> bool:
    """Whether the actor's own role is at least this one. The system reaches all."""
    if by.type != "user":
        return True
    membership = Membership.objects.filter(organization=organization, user_id=by.id or 0).first()
    return membership is not None and at_most(role, membership.role)


def clean_scopes(scopes: Iterable[str], role: str) -> list[str]:
    wanted = set(scopes)
    unknown = sorted(wanted - set(Scope.values))
    if unknown:
        raise DoesNotFit("scopes", f"There is no scope {', '.join(unknown)}.")
    if not wanted:
        raise DoesNotFit("scopes", "Choose at least one scope.")
    beyond = sorted(wanted - {scope.value for scope in scopes_for(role)})
    if beyond:
        raise DoesNotFit("scopes", f"The role {role} does not allow {', '.join(beyond)}.")
    return [scope for scope in Scope.values if scope in wanted]


def clean_end(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= now():
        raise DoesNotFit("expires_at", "This moment has passed.")
    return expires_at
