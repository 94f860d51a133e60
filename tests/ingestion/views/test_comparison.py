"""The comparison with Bitbucket on a connection's page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from ingestion.models import COMPARISON, Sync
from tenants.models import Membership, Organization
from tests.factories import ConnectionFactory, CoverageFactory, MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pk(organization: Organization) -> int:
    connection = ConnectionFactory.create(organization=organization, last_synced_at=now())
    for missing in (0, 3):
        CoverageFactory.create(
            connection=connection,
            repository__connection=connection,
            repository__full_name=f"acme/lacks-{missing}",
            comparison=counts(missing),
        )
    return int(connection.pk)


def counts(missing: int) -> dict[str, Any]:
    return {"at": now().isoformat(), "theirs": 2000, "ours": 2000 - missing, "twice": 0}


def page(member: Client, organization: Organization, pk: int) -> str:
    return member.get(reverse("ingestion:connection", args=[organization.slug, pk])).text


def post(member: Client, organization: Organization, pk: int, name: str) -> int:
    return member.post(reverse(f"ingestion:{name}", args=[organization.slug, pk])).status_code


def test_page_tells_what_is_missing_and_where(
    member: Client, organization: Organization, pk: int
) -> None:
    shown = page(member, organization, pk).partition('id="comparison"')[2]

    assert "3,997 of 4,000 pull requests, 3 missing, 0 twice" in shown
    assert "acme/lacks-3" in shown
    assert "acme/lacks-0" not in shown
    assert "Fetch them" in shown


def test_button_starts_a_sync_that_compares(
    member: Client, organization: Organization, pk: int
) -> None:
    assert post(member, organization, pk, "connection_compare") == 302
    assert Sync.objects.get().streams == [COMPARISON]
    listed = member.get(reverse("ingestion:syncs", args=[organization.slug]))
    assert "comparison</span>" in listed.content.decode()

    assert (
        post(member, organization, pk, "connection_fetch_missing") == 302
    )  # shows the one that runs
    assert Sync.objects.count() == 1


def test_viewer_reads_it_and_starts_nothing(
    client: Client, organization: Organization, pk: int
) -> None:
    viewer: Membership = MembershipFactory.create(organization=organization, role="viewer")
    client.force_login(viewer.user)

    assert "3 missing" in page(client, organization, pk)
    assert "Fetch them" not in page(client, organization, pk)
    assert post(client, organization, pk, "connection_compare") == 403
    assert post(client, organization, pk, "connection_fetch_missing") == 403
