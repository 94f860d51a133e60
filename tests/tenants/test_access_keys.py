"""Access keys: made once shown, revoked at once, and for whom."""

import io
import re

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from tenants.actor import Actor
from tenants.models import AccessKey, Membership, Organization, User
from tenants.roles import Role
from tenants.services import members
from tenants.services.access_keys import make_access_key
from tenants.services.errors import RoleTooHigh

pytestmark = pytest.mark.django_db
SENT = {"name": "terraform", "role": "admin", "scopes": ["connections:read"], "days": "30"}


def page(organization: Organization, rest: str) -> str:
    return f"/o/{organization.slug}/{rest}"


def test_it_is_made_shown_once_and_revoked(member: Client, organization: Organization) -> None:
    made = member.post(page(organization, "access-keys/new/"), SENT, follow=True)

    row = AccessKey.objects.get()
    secret = (row.secrets or {})["secret"]
    shown = made.content.decode()
    assert re.fullmatch(r"TRIB[A-Z2-7]{16}", row.key_id)
    assert len(secret) == 40
    assert row.key_id in shown
    assert secret in shown
    assert made["Cache-Control"] == "no-store"
    again = member.get(page(organization, "access-keys/made/"), follow=True).content.decode()
    assert secret not in again
    assert row.key_id in again
    member.post(page(organization, f"access-keys/{row.pk}/revoke/"))
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert row.secrets is None


def test_the_secret_is_encrypted(organization: Organization) -> None:
    _, secret = make_access_key(
        organization=organization,
        name="CI",
        scopes=["connections:read"],
        role=Role.VIEWER,
        by=Actor.system(),
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM tenants_accesskey")
        (stored,) = cursor.fetchone()
    assert secret.encode() not in bytes(stored)


def test_no_higher_than_its_maker(organization: Organization, admin: User, viewer: User) -> None:
    for person in (admin, viewer):
        with pytest.raises(RoleTooHigh):
            make_access_key(
                organization=organization,
                name="CI",
                scopes=["connections:read"],
                role=Role.OWNER,
                by=Actor.for_user(person),
            )


def test_it_ends_with_its_maker(organization: Organization, owner: User, admin: User) -> None:
    make_access_key(
        organization=organization,
        name="CI",
        scopes=["connections:read"],
        role=Role.ADMIN,
        by=Actor.for_user(admin),
    )

    leaving = Membership.objects.get(organization=organization, user=admin)
    members.remove_member(membership=leaving, by=Actor.for_user(owner))

    row = AccessKey.objects.get()
    assert row.revoked_at is not None
    assert row.secrets is None


def test_the_command_prints_id_and_secret(organization: Organization) -> None:
    out = io.StringIO()
    call_command(
        "create_access_key", "--organization", organization.slug, "--name", "CI", stdout=out
    )

    key_id, secret = out.getvalue().split()
    row = AccessKey.objects.get(key_id=key_id)
    assert (row.secrets or {})["secret"] == secret
    assert row.scopes == ["connections:read", "connections:write"]
    with pytest.raises(CommandError, match="no organization"):
        call_command("create_access_key", "--organization", "none", "--name", "CI")
