"""Secrets that expire: valid through their date, reminders before it, and no use after it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from connections.models import Connection, Credential, ExpiryWarning
from connections.models.credential import usable_credentials
from connections.services import expiry
from tenants.mail import sends_mail
from tenants.models import AuditEvent, Organization
from tenants.roles import Role
from tests.factories import ConnectionFactory, CredentialFactory, MembershipFactory

pytestmark = pytest.mark.django_db
LAST = date(2031, 5, 20)  # the last day on which it is valid
MIDNIGHT = datetime(2031, 5, 21, tzinfo=UTC)


@pytest.fixture
def connection(entered: Organization) -> Connection:
    return ConnectionFactory.create(organization=entered, name="Engineering workspace")


@pytest.fixture
def credential(connection: Connection) -> Credential:
    return CredentialFactory.create(connection=connection, label="CI token", expiration_date=LAST)


@pytest.mark.parametrize(
    ("moment", "status", "state"),
    [
        (MIDNIGHT - timedelta(seconds=1), "active", "available"),
        (MIDNIGHT, "expired", "error"),
    ],
)
def test_is_valid_through_its_date(
    credential: Credential, connection: Connection, moment: datetime, status: str, state: str
) -> None:
    expiry.watch(now=moment)

    credential.refresh_from_db()
    connection.refresh_from_db()
    assert (credential.status, connection.status) == (status, state)
    if status == "expired":
        assert connection.status_code == "credential_expired"
        assert AuditEvent.objects.filter(event_type="credentials.expired").count() == 1


def test_connection_with_another_one_goes_on(
    credential: Credential, connection: Connection
) -> None:
    CredentialFactory.create(connection=connection)

    expiry.watch(now=MIDNIGHT)

    connection.refresh_from_db()
    assert connection.status == "available"


def test_is_not_used_from_the_moment_on_whatever_its_state_says(connection: Connection) -> None:
    over = CredentialFactory.create(connection=connection, expiration_date=date(2020, 1, 1))
    good = CredentialFactory.create(connection=connection, expiration_date=LAST)

    assert over.status == "active"
    assert list(usable_credentials(connection)) == [good]


def test_reminds_at_thirty_fourteen_seven_and_one_day_once_each(
    credential: Credential, organization: Organization
) -> None:
    admin = MembershipFactory.create(organization=organization, role=Role.ADMIN).user
    MembershipFactory.create(organization=organization, role=Role.VIEWER)
    reminded = []

    for before in range(40, -1, -1):
        for hour in (1, 13):
            sent = len(mail.outbox)
            day = MIDNIGHT - timedelta(days=before + 1)
            expiry.watch(now=day + timedelta(hours=hour))
            if len(mail.outbox) > sent:
                reminded.append(before)

    assert reminded == [30, 14, 7, 1]
    last = mail.outbox[-1]
    assert last.subject == "CI token of Engineering workspace expires tomorrow"
    assert "20 May 2031, 24:00 UTC" in last.body
    assert f"/o/{organization.slug}/connections/" in last.body
    assert admin.email in last.recipients()
    assert len(last.recipients()) == 2  # the owner, too, and no viewer
    assert ExpiryWarning.objects.exclude(sent_at=None).count() == 4


def test_new_date_begins_anew(credential: Credential) -> None:
    expiry.watch(now=MIDNIGHT - timedelta(days=2))
    credential.expiration_date = LAST + timedelta(days=90)
    credential.save()

    expiry.watch(now=MIDNIGHT + timedelta(days=88))

    assert len(mail.outbox) == 2


def test_reminder_that_the_mail_server_refuses_is_sent_later(
    credential: Credential, settings: Any
) -> None:
    moment = MIDNIGHT - timedelta(days=2)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    expiry.watch(now=moment)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    expiry.watch(now=moment + timedelta(minutes=5))
    assert not mail.outbox
    expiry.watch(now=moment + timedelta(minutes=11))

    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("changes", "mails"),
    [({"disabled_at": MIDNIGHT}, 0), ({"deleted_at": MIDNIGHT, "secrets": None}, 0), ({}, 1)],
)
def test_reminds_only_of_what_is_used(
    connection: Connection, changes: dict[str, Any], mails: int
) -> None:
    CredentialFactory.create(connection=connection, expiration_date=LAST, **changes)

    expiry.watch(now=MIDNIGHT - timedelta(days=6))

    assert len(mail.outbox) == mails


@pytest.mark.parametrize(("backend", "sends"), [("console", False), ("smtp", True)])
def test_knows_whether_mail_reaches_anybody(settings: Any, backend: str, sends: bool) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"

    assert sends_mail() is sends
