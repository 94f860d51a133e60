"""The pages about addresses and second factors that have a shape of our own."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from pytest_django.fixtures import Settings

from tenants.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


@pytest.fixture
def person(settings: Settings) -> User:
    settings.PUBLIC_URL = "http://localhost:8000"
    return UserFactory.create(email="ada@example.com", password=PASSWORD)


def test_a_key_is_asked_for_only_from_who_has_one(client: Client, person: User) -> None:
    TOTP.activate(person, generate_totp_secret())
    codes = RecoveryCodes.activate(person).get_unused_codes()

    asked = client.post(
        "/accounts/login/", {"login": person.email, "password": PASSWORD}, follow=True
    )
    client.post("/accounts/2fa/authenticate/", {"code": codes[0]})

    assert "or one of your recovery codes" in asked.content.decode()
    assert "security key" not in asked.content.decode()
    assert client.session["_auth_user_id"] == str(person.pk)


def test_recovery_codes_are_shown_with_one_strong_button(client: Client, person: User) -> None:
    client.force_login(person)
    RecoveryCodes.activate(person)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    page = client.get("/accounts/2fa/recovery-codes/").content.decode()

    assert "10 of 10 are unused." in page
    assert all(code in page for code in RecoveryCodes.activate(person).get_unused_codes())
    assert page.count("btn-primary") == 1


def test_an_address_offers_what_can_be_done_with_it(client: Client, person: User) -> None:
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    client.force_login(person)

    alone = client.get("/accounts/email/").content.decode()
    client.post("/accounts/email/", {"email": "more@example.com", "action_add": ""})
    two = client.get("/accounts/email/").content.decode()
    client.post("/accounts/email/", {"email": "more@example.com", "action_remove": ""})

    for action in ("action_send", "action_primary", "action_remove"):
        assert action not in alone
        assert two.count(action) == 1
    assert "Primary, confirmed" in alone
    assert not EmailAddress.objects.filter(email="more@example.com").exists()
