"""What successes and failures do to states."""

from datetime import date, timedelta

import pytest
from django.utils.timezone import now

from connections.models import Connection, Credential
from connections.services import due
from connections.services.states import limit, note_failure, note_success
from connections.services.verification import verify_credential
from connections.transport.errors import (
    BlockedAddress,
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    TlsError,
    Unavailable,
    Unreachable,
)
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
PASSING = [
    Unreachable("No answer."),
    Unavailable("Trouble."),
    TlsError("No trust."),
    RateLimited("Wait."),
]


def state(connection: Connection) -> tuple[str, str]:
    connection.refresh_from_db()
    return connection.status, connection.status_code


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_passes_needs_three_failures_over_half_an_hour(
    error: ProviderError, connection: Connection
) -> None:
    start = now()
    for minutes in (0, 10, 20, 29):
        note_failure(connection, error, now=start + timedelta(minutes=minutes))
        assert state(connection) == ("available", "")
    assert connection.status_message == error.message

    note_failure(connection, error, now=start + timedelta(minutes=30))

    assert state(connection) == ("error", error.code)
    note_success(connection)
    assert state(connection) == ("available", "")
    assert (connection.failures, connection.failing_since) == (0, None)
    assert connection.status_message == ""


def test_two_failures_however_far_apart_are_not_enough(connection: Connection) -> None:
    start = now()
    note_failure(connection, PASSING[0], now=start)
    note_failure(connection, PASSING[0], now=start + timedelta(hours=5))

    assert state(connection) == ("available", "")


def test_a_success_in_between_starts_again(connection: Connection) -> None:
    start = now()
    for minutes in (0, 20):
        note_failure(connection, PASSING[0], now=start + timedelta(minutes=minutes))
    note_success(connection)
    note_failure(connection, PASSING[0], now=start + timedelta(minutes=40))

    assert state(connection) == ("available", "")
    assert connection.failures == 1


@pytest.mark.parametrize(
    "error", [NotFound("Gone."), QuotaExhausted("Nothing left.", resume_at=now())]
)
def test_some_failures_say_nothing_of_the_connection(
    error: ProviderError, connection: Connection
) -> None:
    for hours in range(5):
        note_failure(connection, error, now=now() + timedelta(hours=hours))

    assert state(connection) == ("available", "")
    assert connection.failures == 0


def test_a_blocked_address_needs_a_person_at_once(connection: Connection) -> None:
    note_failure(connection, BlockedAddress("Not allowed."))

    assert state(connection) == ("error", "blocked_address")


def test_a_refused_secret_is_set_aside_and_verified_at_once(
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
    django_capture_on_commit_callbacks: object,
) -> None:
    with django_capture_on_commit_callbacks(execute=False) as sent:  # type: ignore[operator]
        note_failure(connection, InvalidCredentials("No."), credential=credential)

    assert state(connection) == ("error", "invalid_credentials")
    assert credential.status == Credential.Status.INVALID
    asked = len(sandbox.requests)
    for callback in sent:
        callback()
    assert len(sandbox.requests) > asked
    assert state(connection) == ("available", "")
    credential.refresh_from_db()
    assert credential.status == Credential.Status.ACTIVE


def test_another_credential_keeps_the_connection_going(
    connection: Connection, credential: Credential
) -> None:
    other = Credential.objects.create(connection=connection, method="access_token", label="B")

    note_failure(connection, InvalidCredentials("No."), credential=credential)

    assert state(connection) == ("available", "")
    note_failure(connection, InvalidCredentials("No."), credential=other)
    assert state(connection) == ("error", "invalid_credentials")


def test_a_secret_past_its_date_has_expired(connection: Connection, credential: Credential) -> None:
    credential.expiration_date = date(2020, 1, 1)
    credential.save()

    note_failure(connection, InvalidCredentials("No."), credential=credential)

    assert credential.status == Credential.Status.EXPIRED
    assert state(connection) == ("error", "credential_expired")


def test_a_missing_scope_limits_the_credential_alone(
    connection: Connection, credential: Credential
) -> None:
    error = InvalidPermissions("No.", required=("pipeline",), granted=("repository",))

    note_failure(connection, error, credential=credential)

    assert credential.status == Credential.Status.LIMITED
    assert credential.missing_scopes == ["pipeline"]
    assert state(connection) == ("available", "")


def test_a_verification_finds_the_missing_scope_and_its_return(
    connection: Connection, credential: Credential, secret: str, sandbox: Sandbox
) -> None:
    sandbox.change.remove_scope(secret, "pipeline")
    found = verify_credential(credential=credential)
    assert found.outcome == "invalid_permissions"
    assert (credential.status, credential.missing_scopes) == ("limited", ["pipeline"])
    assert state(connection) == ("available", "")

    sandbox.change.add_scope(secret, "pipeline")
    assert verify_credential(credential=credential).outcome == "ok"
    assert (credential.status, credential.missing_scopes) == ("active", [])


def test_a_revoked_secret_and_its_return(
    connection: Connection, credential: Credential, secret: str, sandbox: Sandbox
) -> None:
    sandbox.change.revoke(secret)
    verify_credential(credential=credential)
    assert state(connection) == ("error", "invalid_credentials")

    sandbox.change.restore(secret)
    verify_credential(credential=credential)
    assert state(connection) == ("available", "")


def test_a_renamed_workspace_is_followed_by_its_uuid(
    connection: Connection, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.change.rename_workspace("acme", "acme-eng")

    verify_credential(credential=credential)

    connection.refresh_from_db()
    assert connection.settings["workspace"] == "acme-eng"
    assert connection.status == Connection.Status.AVAILABLE


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/2.0/workspaces/[^/?]*$", None, "workspace_gone"),
        ("/2.0/repositories/", '{"values": []}', "no_resources"),
    ],
)
def test_what_is_gone_needs_a_person_unless_another_credential_sees_it(
    path: str,
    body: str | None,
    code: str,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add(path, status=None if body else 404, body=body)

    verify_credential(credential=credential)

    assert state(connection) == ("error", code)
    sandbox.faults.clear()
    verify_credential(credential=credential)
    assert state(connection) == ("available", "")
    Credential.objects.create(connection=connection, method="access_token", label="B")
    sandbox.faults.add(path, status=None if body else 404, body=body)
    verify_credential(credential=credential)
    assert state(connection) == ("available", "")


def test_trouble_in_a_verification_counts_as_a_failure_only(
    connection: Connection, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.faults.add("/2.0/", status=500)

    found = verify_credential(credential=credential)

    assert found.outcome == "unreachable"
    assert state(connection) == ("available", "")
    assert connection.failures == 1
    assert connection.next_verification_at is not None
    assert connection.next_verification_at < now() + timedelta(minutes=16)
    assert credential.status == Credential.Status.ACTIVE


def test_limits_add_up(credential: Credential) -> None:
    limit(credential, ("pipeline",))
    limit(credential, ("account", "pipeline"))

    assert credential.missing_scopes == ["pipeline", "account"]
    assert credential.status_message == "It lacks the scopes pipeline and account."


def test_verification_comes_daily(
    connection: Connection, django_capture_on_commit_callbacks: object
) -> None:
    assert due.send_due() == 0
    Connection.objects.update(next_verification_at=now() - timedelta(minutes=1))

    with django_capture_on_commit_callbacks(execute=False) as sent:  # type: ignore[operator]
        assert due.send_due() == 1
        assert due.send_due() == 0

    assert len(sent) == 1
    due.verify_all(connection)
    connection.refresh_from_db()
    assert connection.next_verification_at is not None
    assert connection.next_verification_at > now() + timedelta(hours=23)
