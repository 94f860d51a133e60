"""Who is let in by a signature, and what the others are told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.models import Connection
from tenants.models import AccessKey, AuditEvent, Organization, SignedCall
from tenants.roles import Role
from tenants.tasks import sweep_idempotent_calls
from tests.connections.aws.conftest import MakeSigner, Signer
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
BODY = b'{"ProviderType": "Bitbucket", "ConnectionName": "Main"}'
Change = Callable[[dict[str, str]], Any]


def _date(headers: dict[str, str], *, minutes: int) -> None:
    headers["X-Amz-Date"] = f"{now() + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"


def _authorization(old: str, new: str) -> Change:
    def change(headers: dict[str, str]) -> None:
        assert old in headers["Authorization"]
        headers["Authorization"] = headers["Authorization"].replace(old, new)

    return change


def _without(name: str) -> Change:
    return lambda headers: headers.pop(name)


def _target(headers: dict[str, str]) -> None:
    headers["X-Amz-Target"] = headers["X-Amz-Target"].replace("Create", "Delete")


INVALID, INCOMPLETE = "InvalidSignatureException", "IncompleteSignatureException"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_without("Authorization"), "MissingAuthenticationTokenException"),
        (_authorization("AWS4-HMAC-SHA256", "Bearer"), INCOMPLETE),
        (_authorization("/aws4_request", ""), INCOMPLETE),
        (_authorization("Signature=", "Signature=0"), INCOMPLETE),
        (_authorization("TRIB", "NONE"), "UnrecognizedClientException"),
        (_authorization("/eu-central-1/", "/us-east-1/"), INVALID),
        (_authorization("/eu-central-1/", "/mars/"), INVALID),
        (_authorization("/codestar-connections/", "/s3/"), INVALID),
        (_authorization("content-type;", ""), INVALID),
        (_authorization("host;", ""), INVALID),
        (_authorization(";x-amz-target", ""), INVALID),
        (_target, INVALID),
        (_without("X-Amz-Date"), INVALID),
        (lambda headers: _date(headers, minutes=-6), INVALID),
        (lambda headers: _date(headers, minutes=6), INVALID),
        (lambda headers: _date(headers, minutes=1), INVALID),
        (lambda headers: headers.update({"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}), INVALID),
    ],
)
def test_what_was_changed_is_refused(aws: Signer, change: Change, error: str) -> None:
    headers = aws.headers("CreateConnection", BODY)
    change(headers)

    answer = aws.send(BODY, headers)

    assert (answer.status, answer.error) == (403, error)
    assert answer.body["message"] == answer.body["Message"] != ""
    assert answer.headers["X-Amzn-RequestId"]
    assert not Connection.objects.exists()
    assert aws.secret not in str(answer.body)


def test_another_body_is_refused(aws: Signer) -> None:
    answer = aws.send(BODY.replace(b"Main", b"Evil"), aws.headers("CreateConnection", BODY))

    assert (answer.status, answer.error) == (403, INVALID)


def test_another_secret_is_refused(aws: Signer, make_signer: MakeSigner) -> None:
    aws.secret = make_signer().secret

    answer = aws("ListConnections")

    assert (answer.status, answer.error) == (403, INVALID)
    assert "Check your AWS Secret Access Key" in answer.body["message"]


def test_an_old_signature_is_told_how_old(aws: Signer, settings: Settings) -> None:
    headers = aws.headers("ListConnections", b"{}")
    day = headers["X-Amz-Date"][:8]
    headers["X-Amz-Date"] = "20200101T000000Z"
    headers["Authorization"] = headers["Authorization"].replace(day, "20200101")

    answer = aws.send(b"{}", headers)

    assert answer.error == INVALID
    assert answer.body["message"].startswith("Signature expired: 20200101T000000Z is now earlier")


def test_behind_a_proxy_the_public_name_counts(aws: Signer, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://tributary.example.com"
    headers = aws.headers("ListConnections", b"{}", host="tributary.example.com")

    assert aws.send(b"{}", headers).status == 200  # it arrives with the name testserver
    other = aws.headers("ListConnections", b"{}", host="elsewhere.example.com")
    assert aws.send(b"{}", other).error == INVALID


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"revoked_at": now()}, "security token included in the request is invalid"),
        ({"expires_at": now() - timedelta(days=1)}, "expired on"),
    ],
)
def test_ended_keys(aws: Signer, change: dict[str, Any], message: str) -> None:
    AccessKey.objects.update(**change)

    answer = aws("ListConnections")

    assert (answer.status, answer.error) == (403, "UnrecognizedClientException")
    assert message in answer.body["message"]


@pytest.mark.parametrize(
    ("values", "operation", "message"),
    [
        ({"scopes": ["syncs:read"]}, "ListConnections", "lacks the scope connections:read"),
        ({"scopes": ["connections:read"]}, "CreateConnection", "lacks the scope connections:write"),
    ],
)
def test_scopes_count(
    make_signer: MakeSigner, values: dict[str, Any], operation: str, message: str
) -> None:
    answer = make_signer(**values)(operation, {"ProviderType": "Bitbucket", "ConnectionName": "x"})

    assert (answer.status, answer.error) == (403, "AccessDeniedException")
    assert message in answer.body["message"]


def test_so_does_what_the_maker_may_now(aws: Signer, organization: Organization) -> None:
    MembershipFactory.create(organization=organization)
    organization.memberships.filter(user=aws.row.made_by).update(role=Role.VIEWER)

    assert aws("ListConnections").status == 200
    assert aws("DeleteConnection", {"ConnectionArn": "arn"}).error == "AccessDeniedException"
    organization.memberships.filter(user=aws.row.made_by).delete()
    assert "no longer a member" in aws("ListConnections").body["message"]


def test_a_replay_is_answered_and_changes_nothing(aws: Signer) -> None:
    headers = aws.headers("CreateConnection", BODY)

    first, second = aws.send(BODY, headers), aws.send(BODY, headers)

    assert first.status == second.status == 200
    assert first.body == second.body
    assert Connection.objects.count() == 1
    assert AuditEvent.objects.filter(event_type="connections.created").count() == 1
    arn = first.body["ConnectionArn"]
    assert aws("DeleteConnection", {"ConnectionArn": arn}).status == 200
    assert aws.send(BODY, headers).body == first.body
    assert not Connection.objects.filter(deleted_at=None).exists()
    sweep_idempotent_calls()
    assert SignedCall.objects.count() == 2
    SignedCall.objects.update(made_at=now() - timedelta(minutes=16))
    sweep_idempotent_calls()
    assert not SignedCall.objects.exists()


def test_who_asks_too_often_is_throttled(aws: Signer, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"api_key": "2/d"},
    }
    cache.clear()

    answers = [aws("ListConnections") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 400]
    assert answers[2].error == "ThrottlingException"
    assert answers[1].headers["X-RateLimit-Remaining"] == "0"


def test_no_session_is_taken_for_a_signature(member: Client, aws: Signer) -> None:
    aws.client = member
    headers = aws.headers("ListConnections", b"{}")
    headers.pop("Authorization")

    answer = aws.send(b"{}", headers)

    assert answer.error == "MissingAuthenticationTokenException"
    assert not answer.headers.get("Set-Cookie")


def test_use_is_noted(aws: Signer) -> None:
    aws("ListConnections")

    aws.row.refresh_from_db()
    assert aws.row.last_used_at is not None
