"""Invitations, members and their roles, as people use their pages."""

import re
from html import unescape

import pytest
from django.test import Client

from tenants.models import Invitation, Membership, Organization, User
from tenants.roles import Role
from tests.factories import MembershipFactory
from tests.tenants.conftest import address, text

pytestmark = pytest.mark.django_db


def test_an_invitation_from_link_to_member(
    at_owner: Client, organization: Organization, owner: User
) -> None:
    made = at_owner.post(
        address(organization, "members/invite/"),
        {"role": "admin", "email": "ben@example.com"},
        follow=True,
    )
    link = re.search(r"http://testserver(/join/[\w-]+)", text(made))
    assert made["Cache-Control"] == "no-store"
    assert link

    guest = Client()
    followed = guest.get(link[1])
    assert followed["Location"] == "/join/"
    shown = text(guest.get("/join/"))
    assert f"{owner.name} invites you to {organization.name} as admin." in shown
    assert guest.post("/join/")["Location"] == "/accounts/login/?next=/join/"
    sign_up = re.search(r'href="(/accounts/signup/[^"]+)"', shown)
    assert sign_up
    form = text(guest.get(unescape(sign_up[1])))
    assert f"With it you join {organization.name} as admin." in form
    assert 'value="ben@example.com"' in form
    signed_up = guest.post(
        "/accounts/signup/?next=/join/",
        {"email": "ben@example.com", "password1": "correct horse battery staple", "next": "/join/"},
    )
    assert signed_up["Location"] == "/join/"
    joined = guest.post("/join/")
    inside = text(guest.get(joined["Location"]))
    back = text(guest.get(link[1]))

    assert joined["Location"] == address(organization, "")
    assert f"Welcome to {organization.name}." in inside
    assert "You are signed in as" not in inside
    assert f"You are in {organization.name} already" in back
    ben = Membership.objects.get(user__email="ben@example.com")
    assert (ben.role, ben.organization) == (Role.ADMIN, organization)
    again = Client().get(link[1])
    assert again.status_code == 410
    assert "was used already" in text(again)


def test_following_a_link_changes_nothing(at_owner: Client, organization: Organization) -> None:
    made = at_owner.post(address(organization, "members/invite/"), {"role": "viewer"}, follow=True)
    link = re.search(r"http://testserver(/join/[\w-]+)", text(made))
    assert link

    for _ in range(3):
        Client().get(link[1])

    assert Invitation.objects.get().used_at is None


def test_a_revoked_link_lets_nobody_in(at_owner: Client, organization: Organization) -> None:
    made = at_owner.post(address(organization, "members/invite/"), {"role": "viewer"}, follow=True)
    link = re.search(r"http://testserver(/join/[\w-]+)", text(made))
    assert link
    guest = Client()
    guest.get(link[1])
    pk = Invitation.objects.get().pk

    at_owner.post(address(organization, f"members/invitations/{pk}/revoke/"))

    assert guest.get("/join/").status_code == 404
    assert "was revoked" in text(Client().get(link[1]))


@pytest.mark.parametrize("token", ["x", "ä" * 40, "a" * 5000, "%00"])
def test_links_that_were_never_made(client: Client, db: None, token: str) -> None:
    assert client.get(f"/join/{token}").status_code == 404


def test_roles_change_and_members_go(
    at_owner: Client, organization: Organization, viewer: User
) -> None:
    pk = Membership.objects.get(user=viewer).pk

    at_owner.post(address(organization, f"members/{pk}/role/"), {"role": "admin"})
    assert Membership.objects.get(pk=pk).role == Role.ADMIN

    assert at_owner.get(address(organization, f"members/{pk}/remove/")).status_code == 200
    at_owner.post(address(organization, f"members/{pk}/remove/"))
    assert not Membership.objects.filter(pk=pk).exists()


def test_the_last_owner_stays(
    at_owner: Client, organization: Organization, membership: Membership
) -> None:
    pk = membership.pk

    demoted = at_owner.post(address(organization, f"members/{pk}/role/"), {"role": "viewer"})
    left = at_owner.post(address(organization, f"members/{pk}/leave/"))

    for answer in (demoted, left):
        assert answer.status_code == 409
        assert "needs an owner" in text(answer)
    assert Membership.objects.get().role == Role.OWNER


def test_the_only_owner_is_told_before_trying(
    at_owner: Client, organization: Organization, membership: Membership
) -> None:
    leave = address(organization, f"members/{membership.pk}/leave/")
    members = address(organization, "members/")

    alone = text(at_owner.get(members))
    MembershipFactory.create(organization=organization, role=Role.OWNER)
    with_another = text(at_owner.get(members))

    assert "make somebody else an owner first" in alone
    assert leave not in alone
    assert leave in with_another


def test_a_viewer_may_leave_but_throw_out_nobody(
    client: Client, organization: Organization, viewer: User, membership: Membership
) -> None:
    client.force_login(viewer)
    own = Membership.objects.get(user=viewer).pk

    assert client.post(address(organization, f"members/{membership.pk}/leave/")).status_code == 404
    assert client.post(address(organization, f"members/{own}/remove/")).status_code == 403
    assert client.post(address(organization, f"members/{own}/leave/"))["Location"] == "/"

    assert list(Membership.objects.all()) == [membership]
