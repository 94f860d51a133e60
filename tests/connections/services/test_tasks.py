"""Tasks carry ids, enter the organization, and call one service."""

import logging

import pytest
from django.utils.timezone import now

from connections import tasks
from connections.models import Connection, Credential, Draft, Verification
from connections.services import verification
from connections.services.drafts import fill_draft
from connections.services.verification import (
    begin_credential_verification,
    begin_draft_verification,
)
from tenants import access
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization
from tests.factories import OrganizationFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun(draft: Draft, actor: Actor, secret: str) -> Verification:
    """A verification that waits for a worker."""
    fill_draft(
        draft=draft,
        method="access_token",
        settings={"workspace": "acme"},
        secrets={"api_token": secret},
        actor=actor,
    )
    return begin_draft_verification(draft=draft, send=False)


def test_a_verification_shows_what_waits_before_it_runs(begun: Verification) -> None:
    assert begun.outcome == ""
    assert {check["state"] for check in begun.checks} == {"waiting"}
    assert len(begun.checks) == 8


def test_a_draft_is_verified_by_a_task(begun: Verification) -> None:
    tasks.run_verification(begun.organization_id, begun.pk)

    begun.refresh_from_db()
    assert begun.outcome == "ok"
    assert begun.finished_at is not None


def test_a_message_that_comes_twice_or_too_late_does_nothing(
    begun: Verification, sandbox: Sandbox
) -> None:
    tasks.run_verification(begun.organization_id, begun.pk)
    asked = len(sandbox.requests)

    tasks.run_verification(begun.organization_id, begun.pk)
    tasks.run_verification(begun.organization_id, begun.pk + 1)

    assert len(sandbox.requests) == asked


def test_a_task_sees_its_own_organization_only(
    begun: Verification, credential: Credential, entered: Organization, sandbox: Sandbox
) -> None:
    other = OrganizationFactory.create()
    asked = len(sandbox.requests)
    token = access._entered.set(None)
    try:
        tasks.run_verification(other.pk, begun.pk)
        tasks.verify_credential(other.pk, credential.pk)
        tasks.verify_connection(other.pk, credential.connection_id)
    finally:
        access._entered.reset(token)

    assert len(sandbox.requests) == asked
    begun.refresh_from_db()
    assert begun.finished_at is None


def test_a_credential_that_was_asked_for_has_one_verification(
    credential: Credential, actor: Actor
) -> None:
    begun = begin_credential_verification(credential=credential, by=actor)

    tasks.run_verification(credential.organization_id, begun.pk)

    begun.refresh_from_db()
    assert begun.outcome == "ok"
    assert credential.verifications.count() == 2  # that of its making, and this one


def test_housekeeping_needs_no_organization(
    connection: Connection, django_capture_on_commit_callbacks: object
) -> None:
    Connection.objects.update(next_verification_at=now())
    token = access._entered.set(None)
    try:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            tasks.verify_due()
            tasks.erase_expired_drafts()
    finally:
        access._entered.reset(token)

    assert Verification.objects.filter(credential__connection=connection).count() == 2


def test_use_of_a_secret_is_noted_whoever_asks(credential: Credential, actor: Actor) -> None:
    used = AuditEvent.objects.filter(event_type="credentials.used")
    before = used.count()

    tasks.verify_credential(credential.organization_id, credential.pk)
    verification.verify_credential(credential=credential, by=actor)

    asked, daily = used[:2]
    assert used.count() == before + 2
    assert daily.actor_type == "system"
    assert asked.actor_id == actor.id
    assert daily.changes == {"for": "verification", "requests": 8}
    assert daily.target["name"] == credential.label
    assert daily.target["connection"]["name"] == credential.connection.name
    credential.refresh_from_db()
    assert credential.last_used_at is not None


def test_no_log_line_holds_a_secret(
    begun: Verification, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="urllib3"):
        tasks.run_verification(begun.organization_id, begun.pk)

    assert caplog.records
    assert secret not in caplog.text
    assert secret not in "".join(str(vars(record)) for record in caplog.records)
