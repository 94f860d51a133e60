"""Each credential's window of requests: on its tab, on a page of all, and in the API's rows."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import Quota, QuotaBucket, RepositoryAccess
from tests.factories import ConnectionFactory, CredentialFactory, RepositoryFactory
from tests.ingestion.views.conftest import Address, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(connection: Connection) -> Quota:
    """A window of which this organization used 700 and another one 200."""
    quota = Quota.objects.create(subject="a-subject", limit=1000)
    for whose, booked in ((connection.organization_id, 700), (0, 200)):
        QuotaBucket.objects.create(quota=quota, starts_at=now(), booked=booked, whose=whose)
    return quota


def credentials_page(member: Client, connection: Connection) -> str:
    where = (connection.organization.slug, connection.pk)
    return text_of(member.get(reverse("connections:credentials", args=where)))


def test_page_shows_each_window_and_who_shares_it(
    member: Client, url: Address, connection: Connection, used: Quota
) -> None:
    other = ConnectionFactory.create(organization=connection.organization, name="Pipelines")
    CredentialFactory.create(connection=other, label="CI token", quota_subject="a-subject")
    CredentialFactory.create(connection=other, label="Spare", quota_subject="unused")

    page = text_of(member.get(url("quota")))

    assert "100 of 1,000" in page
    assert ">700<" in page
    assert ">900<" in page
    assert "They share 1,000 requests an hour." in page
    assert page.index("CI token") < page.index("Spare")


def test_page_without_credentials_says_so(member: Client, url: Address) -> None:
    assert "No credential asks Bitbucket for anything yet." in text_of(member.get(url("quota")))


@pytest.mark.parametrize(
    ("hashes", "said"),
    [
        (("same", "same"), "uses this token too: they share 1,000 requests an hour"),
        (("one", "other"), "Shares 1,000 requests an hour with"),
    ],
)
def test_tab_says_with_whom_requests_are_shared(
    member: Client, connection: Connection, used: Quota, hashes: tuple[str, str], said: str
) -> None:
    connection.credentials.update(secret_hash=hashes[0])
    other = ConnectionFactory.create(organization=connection.organization, name="Pipelines")
    CredentialFactory.create(connection=other, quota_subject="a-subject", secret_hash=hashes[1])

    page = credentials_page(member, connection)

    assert "100 of 1,000" in page
    assert "Pipelines" in page
    assert said in page.replace("</a>", "")


def test_tab_says_how_much_more_a_credential_sees_than_was_chosen(
    member: Client, connection: Connection
) -> None:
    credential = connection.credentials.get()
    connection.credentials.update(acts_as="Ada")
    for number in range(3):
        row = RepositoryFactory.create(connection=connection, is_selected=number == 0)
        RepositoryAccess.objects.create(
            credential=credential,
            repository=row,
            organization_id=connection.organization_id,
            seen_at=now(),
        )

    page = credentials_page(member, connection)

    assert "Sees 3 repositories, you chose 1" in page
    assert "Ada" in page


@pytest.mark.parametrize("kind", ["console", "locmem"])
def test_tab_says_whether_reminders_are_mailed(
    member: Client, connection: Connection, settings: Any, kind: str
) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{kind}.EmailBackend"
    connection.credentials.update(expiration_date=now().date())

    page = credentials_page(member, connection)

    assert ("this server sends no e-mail" in page) is (kind == "console")


def test_tab_takes_as_many_statements_for_ten_as_for_one(
    member: Client, connection: Connection, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        CredentialFactory.create(connection=connection, quota_subject="a-subject")

    with django_assert_max_num_queries(26):
        credentials_page(member, connection)
