"""The pages of tenants, as people use them."""

import re
from typing import Any

import pytest
from django.test import Client

from tenants.models import ApiKey, AuditEvent, Invitation, Membership, Organization, User
from tenants.roles import Role
from tests.factories import MembershipFactory, UserFactory
from tests.tenants.conftest import address, text

pytestmark = pytest.mark.django_db


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
