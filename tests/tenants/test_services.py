"""Services of tenants: what they change, note and refuse."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import (
    ApiKey,
    AuditEvent,
    Invitation,
    Membership,
    Organization,
    Scope,
    User,
)
from tenants.roles import LOWEST_ROLE, RANK, Permission, Role, allows
from tenants.scopes import NEEDS, permits, scopes_for
from tenants.services import api_keys, errors, invitations, members, organizations
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def last_event() -> AuditEvent:
    event = AuditEvent.objects.first()
    assert event is not None
    return event


def test_every_permission_for_every_role() -> None:
    granted = {
        (role, permission) for role in Role for permission in Permission if allows(role, permission)
    }

    reading = {(role, Permission.READ) for role in Role}
    working = {
        (role, permission)
        for role in (Role.ADMIN, Role.OWNER)
        for permission in (
            Permission.CONNECT,
            Permission.SYNC,
            Permission.EXPORT,
            Permission.READ_WEBHOOKS,
            Permission.READ_AUDIT_LOG,
            Permission.MAKE_API_KEYS,
        )
    }
    owning = {
        (Role.OWNER, Permission.MANAGE_MEMBERS),
        (Role.OWNER, Permission.MANAGE_ORGANIZATION),
    }
    assert granted == reading | working | owning
    assert set(LOWEST_ROLE) == set(Permission)
    assert set(RANK) == set(Role)


def test_viewers_hold_the_reading_scopes_but_that_of_the_audit_log() -> None:
    reading = {scope for scope in Scope if scope.value.endswith(":read")}

    assert set(scopes_for(Role.VIEWER)) == reading - {Scope.AUDIT_READ}
    assert set(scopes_for(Role.ADMIN)) == set(Scope)
    assert set(NEEDS) == set(Scope)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("  Acme   Corp. ", "acme-corp"),
        ("Ünïcode & Söhne", "unicode-sohne"),
        ("Größe GmbH", "grosse-gmbh"),
        ("Łódź Øst", "lodz-ost"),
        ("日本", "organization"),
        ("a_b--c", "a-b-c"),
        ("x" * 100, "x" * 50),
    ],
)
def test_a_slug_comes_from_the_name(name: str, slug: str) -> None:
    made = organizations.create_organization(name=name, by=SYSTEM)

    made.full_clean()
    assert made.slug == slug


def test_slugs_are_counted_on() -> None:
    slugs = [organizations.create_organization(name="x" * 60, by=SYSTEM).slug for _ in range(3)]

    assert slugs == ["x" * 50, "x" * 48 + "-2", "x" * 48 + "-3"]


def test_changes_are_noted_with_before_and_after(organization: Organization, owner: User) -> None:
    before = organization.name

    organizations.update_organization(
        organization=organization, name="New", timezone="UTC", by=Actor.for_user(owner)
    )

    event = last_event()
    assert event.event_type == "organizations.updated"
    assert event.changes == {"name": [before, "New"]}
    assert (event.actor_type, event.actor_id, event.actor_email) == ("user", owner.pk, owner.email)


def test_what_changes_nothing_is_not_noted(organization: Organization) -> None:
    organizations.update_organization(
        organization=organization, name=organization.name, timezone="UTC", by=SYSTEM
    )

    assert not AuditEvent.objects.exists()


def test_the_token_of_an_invitation_is_not_kept(organization: Organization, owner: User) -> None:
    invitation, token = invitations.invite(
        organization=organization, role=Role.VIEWER, by=Actor.for_user(owner)
    )

    assert token not in str(Invitation.objects.values().get())
    assert token not in str(AuditEvent.objects.values().get())
    assert invitation.invited_by == owner


def test_an_invitation_lets_in_one_person(organization: Organization) -> None:
    invitation, _ = invitations.invite(organization=organization, role=Role.ADMIN, by=SYSTEM)
    first, second = UserFactory.create_batch(2)

    invitations.accept(invitation=invitation, user=first, by=Actor.for_user(first))
    with pytest.raises(errors.InvitationEnded):
        invitations.accept(invitation=invitation, user=second, by=Actor.for_user(second))

    assert Membership.objects.get(user=first).role == Role.ADMIN
    assert not Membership.objects.filter(user=second).exists()


def test_an_old_invitation_lets_in_nobody(organization: Organization) -> None:
    invitation, _ = invitations.invite(organization=organization, role=Role.ADMIN, by=SYSTEM)
    Invitation.objects.update(expires_at=now() - timedelta(seconds=1))

    with pytest.raises(errors.InvitationEnded):
        invitations.accept(invitation=invitation, user=UserFactory.create(), by=SYSTEM)


def test_a_member_keeps_the_role_and_the_invitation(membership: Membership) -> None:
    invitation, _ = invitations.invite(
        organization=membership.organization, role=Role.VIEWER, by=SYSTEM
    )

    kept = invitations.accept(invitation=invitation, user=membership.user, by=SYSTEM)

    assert kept.role == Role.OWNER
    invitation.refresh_from_db()
    assert invitation.used_at is None


def test_the_last_owner_can_neither_leave_nor_be_demoted(membership: Membership) -> None:
    MembershipFactory.create(organization=membership.organization, role=Role.ADMIN)

    with pytest.raises(errors.LastOwner):
        members.change_role(membership=membership, role=Role.ADMIN, by=SYSTEM)
    with pytest.raises(errors.LastOwner):
        members.remove_member(membership=membership, by=SYSTEM)


def test_who_was_removed_meanwhile_is_no_member(membership: Membership) -> None:
    other = MembershipFactory.create(organization=membership.organization)
    Membership.objects.filter(pk=other.pk).delete()

    with pytest.raises(errors.NoMember):
        members.change_role(membership=other, role=Role.VIEWER, by=SYSTEM)
    with pytest.raises(errors.NoMember):
        members.remove_member(membership=other, by=SYSTEM)


def test_one_of_two_owners_may_go(membership: Membership) -> None:
    other = MembershipFactory.create(organization=membership.organization)

    members.remove_member(membership=membership, by=Actor.for_user(membership.user))

    assert last_event().event_type == "members.left"
    assert list(Membership.objects.all()) == [other]


def test_the_keys_of_who_goes_end(membership: Membership) -> None:
    other = MembershipFactory.create(organization=membership.organization)
    key, _ = api_keys.make_api_key(
        organization=membership.organization,
        name="CI",
        scopes=["syncs:read"],
        role=Role.OWNER,
        by=Actor.for_user(other.user),
    )

    members.remove_member(membership=other, by=Actor.for_user(membership.user))

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert not permits(key, Scope.SYNCS_READ)
    assert last_event().changes == {"api_keys": [["CI"], "revoked"]}


def test_the_open_invitations_of_who_goes_end(membership: Membership) -> None:
    organization = membership.organization
    other = MembershipFactory.create(organization=organization)
    mine, _ = invitations.invite(
        organization=organization, role=Role.OWNER, by=Actor.for_user(other.user)
    )
    of_others, _ = invitations.invite(
        organization=organization, role=Role.OWNER, by=Actor.for_user(membership.user)
    )

    members.remove_member(membership=other, by=Actor.for_user(membership.user))

    with pytest.raises(errors.InvitationEnded):
        invitations.accept(invitation=mine, user=other.user, by=Actor.for_user(other.user))
    of_others.refresh_from_db()
    assert of_others.revoked_at is None
    assert last_event().changes == {"invitations": [["anyone, as owner"], "revoked"]}


@pytest.mark.parametrize(("role", "ended"), [(Role.OWNER, False), (Role.ADMIN, True)])
def test_who_may_no_longer_invite_has_no_open_invitations(
    membership: Membership, role: Role, ended: bool
) -> None:
    other = MembershipFactory.create(organization=membership.organization)
    mine, _ = invitations.invite(
        organization=membership.organization,
        role=Role.OWNER,
        by=Actor.for_user(other.user),
        email="friend@example.com",
    )

    members.change_role(membership=other, role=role, by=Actor.for_user(membership.user))

    mine.refresh_from_db()
    assert (mine.revoked_at is not None) is ended
    told = last_event().changes.get("invitations")
    assert told == ([["friend@example.com"], "revoked"] if ended else None)


def test_a_key_is_kept_as_a_hash(organization: Organization, owner: User) -> None:
    row, key = api_keys.make_api_key(
        organization=organization,
        name="CI",
        scopes=["syncs:read", "syncs:read"],
        role=Role.ADMIN,
        by=Actor.for_user(owner),
    )

    secret = key.split(".")[1]
    assert secret not in str(ApiKey.objects.values().get())
    assert secret not in str(AuditEvent.objects.values().get())
    assert (row.scopes, row.made_by) == (["syncs:read"], owner)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"scopes": []},
        {"scopes": ["all"]},
        {"role": "king"},
        {"role": Role.VIEWER, "scopes": ["audit:read"]},
        {"expires_at": now() - timedelta(days=1)},
    ],
)
def test_keys_that_are_not_made(organization: Organization, changed: dict[str, object]) -> None:
    values: dict[str, object] = {"name": "CI", "scopes": ["syncs:read"], "role": Role.ADMIN}

    with pytest.raises(errors.DoesNotFit):
        api_keys.make_api_key(
            organization=organization,
            by=SYSTEM,
            **values | changed,  # type: ignore[arg-type]
        )

    assert not ApiKey.objects.exists()


def test_a_key_has_at_most_its_makers_role(organization: Organization, admin: User) -> None:
    with pytest.raises(errors.RoleTooHigh):
        api_keys.make_api_key(
            organization=organization,
            name="CI",
            scopes=["syncs:read"],
            role=Role.OWNER,
            by=Actor.for_user(admin),
        )


def test_a_key_above_ones_role_is_not_revoked(
    organization: Organization, owner: User, admin: User
) -> None:
    keys = [
        api_keys.make_api_key(
            organization=organization,
            name="CI",
            scopes=["syncs:read"],
            role=role,
            by=Actor.for_user(owner),
        )[0]
        for role in (Role.OWNER, Role.ADMIN)
    ]

    with pytest.raises(errors.RoleTooHigh):
        api_keys.revoke_api_key(key=keys[0], by=Actor.for_user(admin))
    api_keys.revoke_api_key(key=keys[1], by=Actor.for_user(admin))

    assert list(ApiKey.objects.filter(revoked_at=None)) == [keys[0]]


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one() -> None:
    organization = OrganizationFactory.create()
    owners = MembershipFactory.create_batch(2, organization=organization)
    together = threading.Barrier(2)
    refused: list[Exception] = []

    def leave(membership: Membership) -> None:
        together.wait(5)
        try:
            members.remove_member(membership=membership, by=SYSTEM)
        except errors.LastOwner as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=leave, args=[owner]) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(refused) == 1
    assert Membership.objects.filter(organization=organization).count() == 1
