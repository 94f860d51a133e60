"""The base of the pages: who comes in, what the page knows."""

import pytest
from django.test import Client

from tenants import access
from tenants.models import Membership, Organization, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.addresses")]


def page(organization: Organization) -> str:
    return f"/o/{organization.slug}/test-page/"


def test_a_member_enters(client: Client, organization: Organization, owner: User) -> None:
    client.force_login(owner)

    shown = client.get(page(organization)).content.decode()
    done = client.post(page(organization)).content.decode()

    assert shown == f"{organization.name}|owner|True|{owner.name}"
    assert done == f"{organization.pk} {owner.name}"
    assert access.entered() is None


def test_who_is_not_signed_in_is_asked_to(client: Client, organization: Organization) -> None:
    answer = client.get(page(organization))

    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={page(organization)}"


@pytest.mark.parametrize(
    ("referer", "next_page"),
    [
        ("http://testserver/o/acme/connections/1/?tab=2", "/o/acme/connections/1/%3Ftab%3D2"),
        ("https://elsewhere.example/o/acme/", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_comes_back_to_its_page(
    client: Client, organization: Organization, referer: str, next_page: str
) -> None:
    answer = client.post(page(organization), headers={"Referer": referer})

    assert answer["Location"] == f"/accounts/login/?next={next_page}"


def test_an_address_that_only_takes_forms_says_so(
    client: Client, organization: Organization, owner: User
) -> None:
    client.force_login(owner)

    answer = client.get(f"/o/{organization.slug}/members/1/role/")

    assert answer.status_code == 405
    assert answer["Allow"] == "POST, OPTIONS"
    assert "There is no page at this address" in answer.content.decode()


def test_a_stranger_cannot_tell_it_from_none(
    client: Client, organization: Organization, stranger: Membership
) -> None:
    client.force_login(stranger.user)

    assert client.get(page(organization)).status_code == 404
    assert client.get("/o/no-such/test-page/").status_code == 404


def test_too_low_a_role(client: Client, organization: Organization, viewer: User) -> None:
    client.force_login(viewer)

    assert client.get(page(organization)).status_code == 200
    assert client.post(page(organization)).status_code == 403


@pytest.mark.parametrize(
    ("pk", "status"), [("1", 200), (str(2**63 - 1), 200), (str(2**63), 404), ("9" * 30, 404)]
)
def test_ids_that_overflow_are_not_found(
    client: Client, organization: Organization, owner: User, pk: str, status: int
) -> None:
    client.force_login(owner)

    assert client.get(f"/o/{organization.slug}/test-row/{pk}/").status_code == status
