"""All tabs of a connection say the same of it."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection, Credential
from tenants.roles import Role
from tests.connections.views.test_wizard import text
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

Url = Callable[..., str]
TABS = (
    "ingestion:connection",
    "connections:credentials",
    "connections:connection_webhooks",
    "connections:connection_settings",
)
CHANGES = (
    "change the credentials",
    "register and remove webhooks",
    "change, pause and delete",
)


def test_every_tab_says_that_it_needs_somebody(
    member: Client, connection: Connection, credential: Credential
) -> None:
    Credential.objects.update(status="limited", status_message="It lacks the scope pipeline.")
    where = (connection.organization.slug, connection.pk)
    rotate = reverse("connections:credential_rotate", args=(*where, credential.pk))

    for tab in TABS:
        answer = member.get(reverse(tab, args=where))

        headline = re.search(r'<div class="headline">(.*?)<nav', answer.content.decode(), re.DOTALL)
        assert headline
        assert "Needs you" in headline[1]
        assert "Sync now" in headline[1]
        assert "What needs it stands still" in text(answer)
        assert f'href="{rotate}"' in answer.content.decode()


def test_while_a_secret_is_replaced_its_state_stays_in_view(
    member: Client, url: Url, connection: Connection, credential: Credential
) -> None:
    Credential.objects.update(status="limited", status_message="It lacks the scope pipeline.")

    page = text(member.get(url("credential_rotate", connection.pk, credential.pk)))

    assert "Needs you" in page
    assert "What needs it stands still" not in page


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("pending", ("finish it", *CHANGES)),
        ("available", ("verify and sync it", *CHANGES)),
    ],
)
def test_a_viewer_is_told_once_whom_to_ask(
    client: Client, connection: Connection, status: str, said: tuple[str, ...]
) -> None:
    Connection.objects.update(status=status)
    member = MembershipFactory.create(organization=connection.organization, role=Role.VIEWER)
    client.force_login(member.user)
    where = (connection.organization.slug, connection.pk)

    for tab, what in zip(TABS, said, strict=True):
        page = text(client.get(reverse(tab, args=where)))

        assert page.count("An admin can") == 1
        assert f"An admin can {what}" in page
