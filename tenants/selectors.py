"""What is read of users, organizations, memberships and keys."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from tenants.models import Membership, Organization, User
from tenants.roles import LOWEST_ROLE, RANK, Permission, Role


def membership_of(user: User | AnonymousUser, slug: str) -> Membership | None:
    """A user's membership in the organization of this address."""
    return (
        Membership.objects.select_related("organization", "user")
        .filter(user__pk=user.pk or 0, organization__slug=slug)
        .first()
    )


def memberships_of(user: User | AnonymousUser) -> QuerySet[Membership]:
    """A user's memberships, by the organization's name."""
    return Membership.objects.select_related("organization").filter(user__pk=user.pk or 0)


def members_of(organization: Organization) -> QuerySet[Membership]:
    """Who belongs to an organization, by name."""
    return (
        Membership.objects.select_related("user")
        .filter(organization=organization)
        .order_by("user__name", "user__email")
    )


def who_may(organization: Organization, permission: Permission) -> list[str]:
    """The names of the members who may do this."""
    return _names(organization, LOWEST_ROLE[permission])


def admins_of(organization: Organization) -> list[str]:
    """The names of those to turn to: admins and owners."""
    return _names(organization, Role.ADMIN)


def refusal(membership: Membership, permission: Permission) -> str:
    """Why a member may not do this, and who may."""
    lowest = LOWEST_ROLE[permission]
    names = ", ".join(who_may(membership.organization, permission))
    return (
        f"Your role in {membership.organization.name} is {membership.get_role_display()}. "
        f"{'An' if lowest != Role.VIEWER else 'A'} {lowest.label.lower()} can do this: {names}."
    )


def _names(organization: Organization, lowest: Role) -> list[str]:
    roles = [role for role, rank in RANK.items() if rank >= RANK[lowest]]
    return [str(member.user) for member in members_of(organization).filter(role__in=roles)]
