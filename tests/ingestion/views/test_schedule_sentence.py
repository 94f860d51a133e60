"""What the settings of a connection say of a schedule that the quota holds, or does not."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import Quota, State
from tenants.models import Organization
from tests.factories import ConnectionFactory, CredentialFactory, SyncFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(organization: Organization) -> Connection:
    """One that is synced each hour, with a token that may ask 1,000 times in it."""
    Quota.objects.create(subject="one", limit=1000)
    made = ConnectionFactory.create(
        organization=organization,
        schedule={"kind": "every", "minutes": 60},
        next_sync_at=now() + timedelta(minutes=9),
    )
    CredentialFactory.create(connection=made, quota_subject="one")
    return made


def said(member: Client, connection: Connection) -> str:
    """What stands beneath the schedule."""
    address = reverse(
        "connections:connection_settings", args=[connection.organization.slug, connection.pk]
    )
    found = re.search(r'id="passes">(.*?)</p>', member.get(address).text)
    return strip_tags(found[1]) if found else ""


HELD = "Every hour takes about 900 requests; this token allows 900."
NOT_HELD = (
    "▲ Every hour needs 2,800 requests, this token allows 900: each pass takes about 3 hours."
)


@pytest.mark.parametrize(("requests", "text"), [((2700, 2900), NOT_HELD), ((900, 900), HELD)])
def test_passes_are_told_beside_what_is_allowed(
    member: Client, connection: Connection, requests: tuple[int, ...], text: str
) -> None:
    for count in requests:
        SyncFactory.create(
            connection=connection, trigger="schedule", state=State.SUCCEEDED, requests=count
        )
    SyncFactory.create(connection=connection, trigger="person", requests=7, state=State.SUCCEEDED)

    assert said(member, connection) == text


def test_nothing_is_said_before_the_first_pass(member: Client, connection: Connection) -> None:
    assert said(member, connection) == ""
