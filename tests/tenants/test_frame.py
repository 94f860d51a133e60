"""The frame of every page: theme, messages, sign-in, error pages; and what no template may hold."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string
from django.test import Client
from pytest_django.fixtures import Settings

from tenants.models import Membership
from tenants.templatetags import tributary

TEMPLATES = sorted(Path(settings.BASE_DIR / "templates").rglob("*.html"))
INLINE = re.compile(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*(src=|application/json))")


def test_no_template_brings_inline_style_or_script() -> None:
    assert TEMPLATES
    assert [path.name for path in TEMPLATES if INLINE.search(path.read_text())] == []


def test_inline_style_and_script_would_be_found() -> None:
    for bad in ('<p style="color: red">', '<a onclick="go()">', "<script>go()</script>"):
        assert INLINE.search(bad)


def test_a_browser_remembers_its_theme(client: Client, membership: Membership) -> None:
    client.force_login(membership.user)
    client.cookies["theme"] = "dark"

    assert b'data-bs-theme="dark"' in client.get("/account/").content


def test_the_account_has_a_theme_for_all_browsers(client: Client, membership: Membership) -> None:
    membership.user.theme = "light"
    membership.user.save()
    client.force_login(membership.user)

    assert b'data-bs-theme="light"' in client.get("/account/").content


def test_nonsense_in_the_cookie_changes_nothing(client: Client, membership: Membership) -> None:
    client.force_login(membership.user)
    client.cookies["theme"] = 'dark" onload="'

    assert b"data-bs-theme" not in client.get("/account/").content


@pytest.mark.parametrize(
    ("tags", "address"),
    [("undo:/o/acme/undo/", "/o/acme/undo/"), ("undo://evil.example", ""), ("other", ""), ("", "")],
)
def test_undo_is_posted_only_here(tags: str, address: str) -> None:
    assert tributary.undo_address(Message(messages.SUCCESS, "Done.", extra_tags=tags)) == address


@pytest.mark.django_db
def test_a_passkey_is_offered_only_where_browsers_allow_it(
    client: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://tributary.example.com"
    assert b"Sign in with a passkey" in client.get("/accounts/login/").content

    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert b"Sign in with a passkey" not in client.get("/accounts/login/").content


def test_an_unknown_address_says_where_to_go(client: Client, membership: Membership) -> None:
    client.force_login(membership.user)

    answer = client.get("/o/nobody/")

    assert answer.status_code == 404
    assert b"There is nothing at this address" in answer.content
    assert answer.headers["X-Request-Id"].encode() in answer.content


def test_the_page_of_a_failure_needs_nothing() -> None:
    page = render_to_string("500.html")

    assert "Something broke on our side" in page
    assert "{%" not in page


def test_fields_say_what_is_wrong_beside_them(client: Client, db: None) -> None:
    page = client.post("/accounts/login/", {"login": "", "password": ""}).content.decode()

    assert 'aria-invalid="true"' in page
    assert 'id="id_login_error"' in page
    assert "id_login_error" in re.findall(r'aria-describedby="([^"]*)"', page)[0]
