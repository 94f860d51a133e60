"""Invites people by links, and lets them in."""

import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import Invitation, Membership, Organization, User
from tenants.roles import Role
from tenants.secrets import keyed_hash
from tenants.services import audit
from tenants.services.errors import DoesNotFit, InvitationEnded

LASTS = timedelta(days=7)


@transaction.atomic
def invite(
    *, organization: Organization, role: str, by: Actor, email: str = ""
) -> tuple[Invitation, str]:
    """Make an invitation. Gives the row and the token of its link, which is not kept.

    Raises DoesNotFit.
    """
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        role=_clean_role(role),
        email=_clean_email(email),
        token_hash=token_hash(token),
        invited_by_id=by.id if by.type == "user" else None,
        expires_at=now() + LASTS,
    )
    audit.record(
        organization=organization,
        event_type="invitations.created",
        by=by,
        target=_target(invitation),
    )
    return invitation, token


def token_hash(token: str) -> str:
    """What is kept of a link."""
    return keyed_hash("invitation", token)


@transaction.atomic
def revoke(*, invitation: Invitation, by: Actor) -> None:
    """End an invitation that nobody used yet. Raises InvitationEnded."""
    if not _open(invitation).update(revoked_at=now()):
        raise InvitationEnded("This invitation was used or revoked already.")
    audit.record(
        organization=invitation.organization_id,
        event_type="invitations.revoked",
        by=by,
        target=_target(invitation),
    )


@transaction.atomic
def accept(*, invitation: Invitation, user: User, by: Actor) -> Membership:
    """Make the user a member; each invitation does that once. Raises InvitationEnded.

    Who is a member already keeps the role, and the invitation stays open for somebody else.
    """
    present = Membership.objects.filter(
        organization_id=invitation.organization_id, user=user
    ).first()
    if present is not None:
        return present
    spent = _open(invitation).filter(expires_at__gt=now()).update(used_at=now(), used_by=user)
    if not spent:
        raise InvitationEnded("This invitation was used, revoked, or is too old. Ask for another.")
    membership = Membership.objects.create(
        organization_id=invitation.organization_id, user=user, role=invitation.role
    )
    audit.record(
        organization=invitation.organization_id,
        event_type="members.joined",
        by=by,
        target={"type": "member", "id": membership.pk, "name": str(user)},
        changes={"role": ["", membership.role]},
    )
    return membership


def _open(invitation: Invitation) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        pk=invitation.pk, used_at__isnull=True, revoked_at__isnull=True
    )


def _clean_role(role: str) -> Role:
    if role not in Role.values:
        raise DoesNotFit("role", "Choose one of the roles.")
    return Role(role)


def _clean_email(email: str) -> str:
    cleaned = email.strip().lower()
    try:
        if cleaned:
            validate_email(cleaned)
    except ValidationError:
        raise DoesNotFit("email", "This is no e-mail address.") from None
    return cleaned


def _target(invitation: Invitation) -> dict[str, object]:
    return {"type": "invitation", "id": invitation.pk, "name": str(invitation)}
