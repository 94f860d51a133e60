"""What is read of users, organizations, memberships and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self, TypeVar

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date
from django.utils.module_loading import import_string
from django.utils.timezone import get_current_timezone, now

from tenants.models import (
    AccessKey,
    ApiKey,
    AuditEvent,
    Invitation,
    Key,
    Membership,
    Organization,
    User,
)
from tenants.roles import LOWEST_ROLE, RANK, Permission, Role
from tenants.secrets import keyed_hash

AnyKey = TypeVar("AnyKey", bound=Key)
HELD_INVITATION = "invitation"  # in a session: the id of the invitation whose link was followed


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


def is_member(user: User | AnonymousUser, organization: Organization) -> bool:
    """Whether a user belongs to an organization."""
    return Membership.objects.filter(user__pk=user.pk or 0, organization=organization).exists()


def at_bitbucket(user: User) -> list[str]:
    """The uuids of the accounts at Bitbucket with which somebody signs in."""
    accounts = SocialAccount.objects.filter(user=user)
    return [str(found) for one in accounts if (found := one.extra_data.get("uuid"))]


def acting_as(membership: Membership) -> list[str]:
    """What goes on acting as a member who is removed: `settings.ACTS_AS` tells, by name."""
    told: list[str] = import_string(settings.ACTS_AS)(membership)
    return told


def members_of(organization: Organization) -> QuerySet[Membership]:
    """Who belongs to an organization, by name."""
    return (
        Membership.objects.select_related("user")
        .filter(organization=organization)
        .order_by("user__name", "user__email")
    )


def is_only_owner(membership: Membership) -> bool:
    """Whether the organization would have no owner without this member."""
    owners = Membership.objects.filter(organization=membership.organization, role=Role.OWNER)
    return membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists()


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


def is_first_user() -> bool:
    """Whether nobody has signed up yet."""
    return not User.objects.exists()


def invitation_of_token(token: str) -> Invitation | None:
    """The invitation of a link, whatever its state."""
    return _invitations().filter(token_hash=keyed_hash("invitation", token)).first()


def held_invitation(session: SessionBase) -> Invitation | None:
    """The open invitation whose link this browser followed."""
    pk = session.get(HELD_INVITATION)
    return open_invitations().filter(pk=pk).first() if isinstance(pk, int) else None


def used_invitation(session: SessionBase, user: User | AnonymousUser) -> Invitation | None:
    """The invitation whose link this browser followed, where this person has used it."""
    pk = session.get(HELD_INVITATION)
    if not isinstance(pk, int):
        return None
    return _invitations().filter(pk=pk, used_by__pk=user.pk or 0).first()


def is_invited(session: SessionBase) -> bool:
    """Whether this browser followed the link of an open invitation."""
    return held_invitation(session) is not None


def open_invitations() -> QuerySet[Invitation]:
    """Invitations that somebody can still accept."""
    return _invitations().filter(
        used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now()
    )


def _invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("organization", "invited_by")


def invitations_of(organization: Organization) -> QuerySet[Invitation]:
    """The invitations that still wait for somebody."""
    return (
        Invitation.objects.for_organization(organization)
        .select_related("invited_by")
        .filter(used_at__isnull=True, revoked_at__isnull=True)
        .filter(expires_at__gt=now())
    )


def why_ended(invitation: Invitation | None) -> str:
    """Why a link does not let anybody in."""
    if invitation is None:
        return "There is no invitation behind this link. Was it copied whole?"
    if invitation.revoked_at:
        return "This invitation was revoked."
    if invitation.used_at:
        return "This invitation was used already. Each lets in one person."
    return f"This invitation ended on {invitation.expires_at:%Y-%m-%d}."


def api_keys_of(organization: Organization) -> QuerySet[ApiKey]:
    """The keys that work, and those that ended in the last 30 days."""
    return _keys_of(ApiKey, organization)


def access_keys_of(organization: Organization) -> QuerySet[AccessKey]:
    """The same of access keys."""
    return _keys_of(AccessKey, organization)


def _keys_of(kind: type[AnyKey], organization: Organization) -> QuerySet[AnyKey]:
    lately = now() - timedelta(days=30)
    rows: QuerySet[AnyKey] = kind.objects.for_organization(organization)
    return (
        rows.select_related("made_by").exclude(revoked_at__lt=lately).exclude(expires_at__lt=lately)
    )


@dataclass(frozen=True, kw_only=True)
class AuditFilters:
    """What the audit log is narrowed to. What makes no sense narrows nothing."""

    event_type: str = ""
    who: str = ""
    target: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Filters of an address."""
        return cls(
            event_type=_text(query.get("event_type", "")),
            who=_text(query.get("who", "")),
            target=_text(query.get("target", "")),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )


def audit_events(organization: Organization, filters: AuditFilters) -> QuerySet[AuditEvent]:
    """The audit trail, newest first."""
    events = AuditEvent.objects.for_organization(organization)
    if filters.event_type:
        events = events.filter(event_type=filters.event_type)
    if filters.who:
        named = Q(actor_name__icontains=filters.who) | Q(actor_email__icontains=filters.who)
        events = events.filter(named)
    if filters.target:
        named = Q(target__name__icontains=filters.target)
        named |= Q(target__connection__name__icontains=filters.target)
        events = events.filter(named)
    if filters.since:
        events = events.filter(time__gte=_midnight(filters.since))
    if filters.until:
        events = events.filter(time__lt=_midnight(filters.until + timedelta(days=1)))
    return events


def event_types(organization: Organization) -> list[str]:
    """The types of events that this trail holds."""
    rows = AuditEvent.objects.for_organization(organization).order_by("event_type")
    return list(rows.values_list("event_type", flat=True).distinct())


def _day(value: str) -> date | None:
    try:
        day = parse_date(value)
    except ValueError:
        return None
    return day if day and 2000 <= day.year < 2200 else None


def _midnight(day: date) -> datetime:
    """Where a day of the reader begins."""
    return datetime.combine(day, time(), get_current_timezone())


def _text(value: str) -> str:
    return value.replace("\x00", "").strip()[:150]
