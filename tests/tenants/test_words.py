"""The words of django-allauth and of Django's forms, as this project says them."""

import re
import sys
from ast import literal_eval
from gettext import GNUTranslations
from pathlib import Path

import allauth
import django
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from tenants.models import Organization, User

CATALOGUE = Path(configured.BASE_DIR) / "config/locale/en/LC_MESSAGES"
THEIRS = (
    Path(allauth.__file__).parent / "locale/en/LC_MESSAGES/django.po",
    Path(django.__file__).parent / "conf/locale/en/LC_MESSAGES/django.po",
)
ENTRY = re.compile(
    r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:"(?:[^"\\]|\\.)*"\n?)+)', re.MULTILINE
)


def read(catalogue: Path) -> list[tuple[str, str]]:
    """The lines of a catalogue: what each is, and its text."""
    return [
        (kind, "".join(literal_eval(line) for line in lines.splitlines()))
        for kind, lines in ENTRY.findall(catalogue.read_text())
    ]


def test_others_still_say_all_that_is_said_otherwise_here() -> None:
    theirs = {text for each in THEIRS for kind, text in read(each) if kind == "msgid"}

    ours = {text for kind, text in read(CATALOGUE / "django.po") if kind == "msgid"}

    assert ours - theirs == set()


def test_the_compiled_words_are_the_written_ones() -> None:
    path = CATALOGUE / "django.mo"
    with path.open("rb") as file:
        compiled = GNUTranslations(file)

    written = read(CATALOGUE / "django.po")
    text = plural = ""
    for kind, words in written:
        if kind == "msgid":
            text = words
        elif kind == "msgid_plural":
            plural = words
        elif kind == "msgstr" and text:
            assert compiled.gettext(text) == words
        elif text:
            number = 1 if kind == "msgstr[0]" else 2
            assert compiled.ngettext(text, plural, number) == words

    count = int.from_bytes(path.read_bytes()[8:12], sys.byteorder)  # with the head
    assert count == sum(kind == "msgid" for kind, _ in written)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["login/", "signup/", "password/reset/"])
def test_forms_speak_of_e_mail(client: Client, path: str) -> None:
    page = client.get(f"/accounts/{path}").content.decode()

    assert "E-mail" in page or "e-mail" in page
    assert not re.search(r">\s*Email|Remember Me|email address", page)


@pytest.mark.django_db
def test_a_choice_that_is_none_is_named_in_our_words(
    client: Client, owner: User, organization: Organization
) -> None:
    client.force_login(owner)

    page = client.get(reverse("ingestion:connections", args=[organization.slug]) + "?state=foo")

    assert "“foo” is none of these. Choose one." in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "offered"), [("http://127.0.0.1:8000", False), ("http://localhost:8000", True)]
)
def test_keys_are_offered_where_browsers_allow_them(
    client: Client, owner: User, settings: Settings, address: str, offered: bool
) -> None:
    settings.PUBLIC_URL = address
    client.force_login(owner)

    factors = client.get("/accounts/2fa/").content.decode()
    account = client.get(reverse("tenants:account")).content.decode()

    assert (reverse("mfa_add_webauthn") in factors) is offered
    assert ("passkeys" in account) is offered


@pytest.mark.django_db
@pytest.mark.parametrize("verified", [False, True])
def test_a_second_factor_waits_for_the_confirmed_address(
    client: Client, owner: User, settings: Settings, verified: bool
) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    EmailAddress.objects.create(user=owner, email=owner.email, verified=verified, primary=True)
    client.force_login(owner)

    page = client.get("/accounts/2fa/").content.decode()
    refused = client.get(reverse("mfa_activate_totp"), follow=True).content.decode()

    confirm = f'<a class="btn btn-secondary" href="{reverse("account_email")}">Confirm your e-mail'
    assert (confirm in page) is not verified
    assert (reverse("mfa_activate_totp") in page) is verified
    assert (reverse("mfa_add_webauthn") in page) is verified
    assert ("Confirm your e-mail address first." in refused) is not verified
