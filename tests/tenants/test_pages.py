"""The pages of tenants, as people use them."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tenants.actor import Actor
from tenants.models import ApiKey, AuditEvent, Invitation, Membership, Organization, User
from tenants.roles import Role
from tenants.services import audit
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_owner(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def address(organization: Organization, rest: str) -> str:
    return f"/o/{organization.slug}/{rest}"


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize(
    "rest", ["members/", "api-keys/", "api-keys/new/", "audit-log/", "settings/"]
)
def test_pages_open(at_owner: Client, organization: Organization, rest: str) -> None:
    answer = at_owner.get(address(organization, rest))

    assert answer.status_code == 200
    assert organization.name in text(answer)
    assert address(organization, "audit-log/") in text(answer)
    assert "style=" not in text(answer)


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("members/", "An owner can invite colleagues"),
        ("api-keys/", "An admin can make and revoke API keys"),
        ("settings/", "An owner can change this"),
    ],
)
def test_a_viewer_sees_who_can_do_what(
    client: Client,
    organization: Organization,
    viewer: User,
    owner: User,
    rest: str,
    sentence: str,
) -> None:
    client.force_login(viewer)

    shown = text(client.get(address(organization, rest)))

    assert f"{sentence}: {owner.name}." in shown
    assert "Copy link" in shown


def test_a_viewer_is_told_why_a_page_is_closed(
    client: Client, organization: Organization, viewer: User, admin: User
) -> None:
    client.force_login(viewer)

    answer = client.get(address(organization, "audit-log/"))

    assert answer.status_code == 403
    assert f"Your role in {organization.name} is Viewer." in text(answer)
    assert "audit-log/" not in text(client.get(address(organization, "members/")))


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


def test_a_key_is_shown_once_and_works(at_owner: Client, organization: Organization) -> None:
    made = at_owner.post(
        address(organization, "api-keys/new/"),
        {"name": "CI", "role": "admin", "scopes": ["syncs:read"], "days": "30"},
        follow=True,
    )
    row = ApiKey.objects.get()
    key = re.search(rf"{row.prefix}\.\w{{32}}", text(made))

    assert made["Cache-Control"] == "no-store"
    assert key
    assert key[0] not in text(at_owner.get(address(organization, "api-keys/")))
    headers = {"Authorization": f"Bearer {key[0]}"}
    assert Client().get("/api/connectors.list", headers=headers).status_code != 401
    at_owner.post(address(organization, f"api-keys/{row.pk}/revoke/"))
    assert Client().get("/api/connectors.list", headers=headers).status_code == 401


def test_what_is_shown_once_is_not_made_twice_by_reloading(
    at_owner: Client, organization: Organization
) -> None:
    form = {"name": "CI", "role": "admin", "scopes": ["syncs:read"], "days": "30"}
    key_page = at_owner.post(address(organization, "api-keys/new/"), form)["Location"]
    invited = at_owner.post(address(organization, "members/invite/"), {"role": "viewer"})

    session = str(dict(at_owner.session))
    first = [text(at_owner.get(page)) for page in (key_page, invited["Location"])]
    again = [text(at_owner.get(page, follow=True)) for page in (key_page, invited["Location"])]

    key = re.compile(rf"{ApiKey.objects.get().prefix}\.\w{{32}}")
    assert key.search(first[0])
    assert "/join/" in first[1]
    assert not key.search(again[0] + session)
    assert "/join/" not in again[1] + session
    assert "A key is shown once." in again[0]
    assert Invitation.objects.count() == 1


def test_an_admin_makes_no_key_of_an_owner(
    client: Client, organization: Organization, admin: User
) -> None:
    client.force_login(admin)

    answer = client.post(
        address(organization, "api-keys/new/"),
        {"name": "CI", "role": "owner", "scopes": ["syncs:read"], "days": "30"},
    )

    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_the_audit_log_reads_as_sentences(at_owner: Client, organization: Organization) -> None:
    at_owner.post(
        address(organization, "api-keys/new/"),
        {"name": "<b>CI</b>", "role": "admin", "scopes": ["syncs:read"], "days": "30"},
    )

    shown = text(at_owner.get(address(organization, "audit-log/")))

    assert "created the API key <em>&lt;b&gt;CI&lt;/b&gt;</em>" in shown


def test_every_event_of_the_audit_log_shows_its_code(
    at_owner: Client, organization: Organization
) -> None:
    audit.record(
        organization=organization,
        event_type="organizations.created",
        target={"type": "organization", "name": organization.name},
        by=Actor.system(),
    )

    shown = text(at_owner.get(address(organization, "audit-log/")))

    assert "<code>organizations.created</code>" in shown


def test_the_audit_log_is_filtered(at_owner: Client, organization: Organization) -> None:
    at_owner.post(address(organization, "settings/"), {"name": "New", "timezone": "Europe/Vienna"})
    at_owner.post(address(organization, "members/invite/"), {"role": "viewer"})
    page = address(organization, "audit-log/")

    settings_only = text(at_owner.get(page, {"event_type": "organizations.updated"}))
    nobody = text(at_owner.get(page, {"who": "nobody"}))

    assert "changed the settings of <em>New</em>" in settings_only
    assert "<strong>" in settings_only
    assert "invited" not in settings_only.split("<tbody>")[1]
    assert "Nothing of this kind" in nobody


@pytest.mark.parametrize(
    "query",
    [
        {"page": "x"},
        {"page": "9" * 30},
        {"since": "0001-01-01"},
        {"since": "9999-12-31"},
        {"since": "2026-02-31"},
        {"who": "\0"},
        {"who": "x" * 10_000},
        {"event_type": "%"},
    ],
)
def test_filters_that_make_no_sense(
    at_owner: Client, organization: Organization, owner: User, query: dict[str, str]
) -> None:
    User.objects.filter(pk=owner.pk).update(timezone="Pacific/Auckland")

    assert at_owner.get(address(organization, "audit-log/"), query).status_code == 200


BAD_NAMES = ["", " ", "x" * 101, "a\0b", "a\u202eb"]
FORMS: list[tuple[str, dict[str, Any]]] = [
    *(("settings/", {"name": name, "timezone": "UTC"}) for name in BAD_NAMES),
    ("settings/", {"name": "Acme", "timezone": "Mars/Phobos"}),
    ("settings/", {}),
    ("members/invite/", {"role": "king"}),
    ("members/invite/", {}),
    ("members/invite/", {"role": "viewer", "email": "no e-mail"}),
    ("members/invite/", {"role": "viewer", "email": "a\0@b.de"}),
    ("members/{membership}/role/", {"role": "king"}),
    ("members/{membership}/role/", {}),
    ("api-keys/new/", {"name": "x", "role": "owner", "scopes": ["nonsense"], "days": "30"}),
    ("api-keys/new/", {"name": "x", "role": "owner", "scopes": [], "days": "30"}),
    ("api-keys/new/", {"name": "x", "role": "viewer", "scopes": ["syncs:write"], "days": "30"}),
    ("api-keys/new/", {"name": "x", "role": "owner", "scopes": ["syncs:read"], "days": "5"}),
    ("api-keys/new/", {"name": "\0", "role": "owner", "scopes": ["syncs:read"], "days": "30"}),
    ("api-keys/new/", {}),
]


@pytest.mark.parametrize(("rest", "sent"), FORMS)
def test_forms_that_do_not_fit(
    at_owner: Client,
    organization: Organization,
    membership: Membership,
    rest: str,
    sent: dict[str, Any],
) -> None:
    before = Organization.objects.values().get(), Membership.objects.values().get()

    answer = at_owner.post(address(organization, rest.format(membership=membership.pk)), sent)

    assert answer.status_code == 422
    assert not (Invitation.objects.exists())
    assert not (ApiKey.objects.exists())
    assert not AuditEvent.objects.exists()
    assert before == (Organization.objects.values().get(), Membership.objects.values().get())


def test_who_has_no_organization_is_told_how_to_get_one(client: Client, db: None) -> None:
    client.force_login(UserFactory.create())

    assert "You belong to no organization yet" in text(client.get("/"))
    made = client.post("/organizations/new/", {"name": "Ünïted Ltd.", "timezone": "UTC"})

    assert made["Location"] == "/o/united-ltd/"
    assert client.get("/")["Location"] == "/o/united-ltd/"
    assert Membership.objects.get().role == Role.OWNER


@pytest.mark.parametrize("name", BAD_NAMES)
def test_organizations_that_are_not_made(client: Client, db: None, name: str) -> None:
    client.force_login(UserFactory.create())

    answer = client.post("/organizations/new/", {"name": name, "timezone": "UTC"})

    assert answer.status_code == 422
    assert not Organization.objects.exists()


def test_an_account_is_changed(at_owner: Client, owner: User) -> None:
    sent = {"name": "Ada", "timezone": "Europe/Vienna", "theme": "dark"}

    answer = at_owner.post("/account/", sent)

    owner.refresh_from_db()
    assert (owner.name, owner.timezone, owner.theme) == ("Ada", "Europe/Vienna", "dark")
    assert answer.cookies["theme"].value == "dark"
    assert 'data-bs-theme="dark"' in text(at_owner.get("/account/"))


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "x" * 151, "theme": "dark"},
        {"name": "x", "theme": "pink"},
        {"name": "a\0", "theme": "dark"},
        {"name": "x", "theme": "dark", "timezone": "Mars/Phobos"},
        {},
    ],
)
def test_an_account_that_does_not_fit(at_owner: Client, sent: dict[str, str]) -> None:
    assert at_owner.post("/account/", sent).status_code == 422


def test_one_person_in_two_organizations(client: Client, owner: User, stranger: Membership) -> None:
    MembershipFactory.create(user=owner, organization=stranger.organization, role=Role.VIEWER)
    client.force_login(owner)

    shown = text(client.get(f"/o/{stranger.organization.slug}/members/"))

    for membership in owner.memberships.all():
        assert membership.organization.name in shown
