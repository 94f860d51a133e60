"""Forms that cannot be read are answered with a page."""

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import Organization, User

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
TOO_LARGE = b"login=" + b"a" * 3_000_000
FORMS = [
    (f"{FORM}; charset=iso-8859-1", b"login=a", 415),
    (f"{FORM}; charset=utf-16", b"login=a", 415),
    (FORM, TOO_LARGE, 413),
    (FORM, b"a=1&" * 2000, 400),
    ("multipart/form-data", b"no boundary", 400),
]


@pytest.mark.parametrize(("content_type", "body", "status"), FORMS)
@pytest.mark.parametrize("checked", [True, False])
def test_a_form_that_cannot_be_read(
    content_type: str, body: bytes, status: int, checked: bool
) -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=checked)
    client.cookies["csrftoken"] = token = "a" * 32

    answer = client.post(
        reverse("account_login"), body, content_type=content_type, headers={"X-CSRFToken": token}
    )

    assert answer.status_code == status
    assert "This form cannot be read" in answer.content.decode()


def test_a_form_of_a_member_that_cannot_be_read(
    client: Client, organization: Organization, owner: User
) -> None:
    client.force_login(owner)
    address = reverse("tenants:members", args=(organization.slug,))

    answer = client.post(address, b"email=a", content_type=f"{FORM}; charset=latin-1")

    assert answer.status_code == 415
    assert "This form cannot be read" in answer.content.decode()


def test_a_form_in_utf_8_is_read(client: Client) -> None:
    answer = client.post(
        reverse("account_login"), b"login=a", content_type=f"{FORM}; charset=utf-8"
    )

    assert answer.status_code == 200
