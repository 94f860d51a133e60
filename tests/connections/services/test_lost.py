"""A message or a worker is lost in the middle of a verification: nobody waits for ever."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from config.celery import app
from connections import tasks
from connections.models import SILENCE, Credential, Draft, Verification
from connections.services import due
from connections.services.drafts import fill_draft
from connections.services.verification import (
    begin_credential_verification,
    begin_draft_verification,
)
from tenants.actor import Actor
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

NOBODY_LISTENS = "redis://127.0.0.1:9/0"


@pytest.fixture
def filled(draft: Draft, actor: Actor, secret: str) -> Draft:
    """A draft whose secret may be verified."""
    return fill_draft(
        draft=draft,
        method="access_token",
        settings={"workspace": "acme"},
        secrets={"api_token": secret},
        actor=actor,
    )


@pytest.fixture
def begun(filled: Draft) -> Verification:
    """A verification whose message is lost."""
    return begin_draft_verification(draft=filled, send=False)


@pytest.fixture
def _no_broker() -> Iterator[None]:
    """Messages go to a broker that is down."""
    before = {"task_always_eager": app.conf.task_always_eager, "broker_url": app.conf.broker_url}
    app.conf.update(task_always_eager=False, broker_url=NOBODY_LISTENS)
    app._pool = app.amqp._producer_pool = None
    yield
    app.conf.update(before)
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def send_lost(django_capture_on_commit_callbacks: Any) -> Any:
    """Sends what was lost, and lets it run."""

    def send() -> int:
        with django_capture_on_commit_callbacks(execute=True):
            return due.send_lost()

    return send


def fall_silent(row: Verification, ago: timedelta = SILENCE) -> None:
    """Nothing has been heard of it for so long."""
    held = row.lease_until and now()
    Verification.objects.filter(pk=row.pk).update(started_at=now() - ago, lease_until=held)
    row.refresh_from_db()


@pytest.mark.usefixtures("_no_broker")
def test_a_broker_that_is_down_does_not_stop_who_begins(
    filled: Draft, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as sent:
        row = begin_draft_verification(draft=filled)

    assert len(sent) == 1
    assert row.is_running


def test_a_lost_message_is_sent_again(begun: Verification, send_lost: Any) -> None:
    early = send_lost()
    fall_silent(begun)

    assert begun.is_lost
    assert (early, send_lost()) == (0, 1)
    begun.refresh_from_db()
    assert begun.outcome == "ok"
    assert send_lost() == 0


def test_the_lost_message_of_a_credential_is_sent_again(
    credential: Credential, actor: Actor, send_lost: Any
) -> None:
    begun = begin_credential_verification(credential=credential, by=actor)
    fall_silent(begun)

    assert send_lost() == 1
    begun.refresh_from_db()
    assert begun.outcome == "ok"
    assert credential.verifications.count() == 2  # that of its making, and this one


def test_a_worker_that_is_killed_in_the_middle_is_followed_by_another(
    begun: Verification, sandbox: Sandbox, send_lost: Any
) -> None:
    begun.checks[0]["state"] = "asking"
    begun.lease_until = now() + SILENCE
    begun.save()
    asked = len(sandbox.requests)

    tasks.run_verification(begun.organization_id, begun.pk)
    assert len(sandbox.requests) == asked  # it may still live
    fall_silent(begun)
    assert send_lost() == 1

    begun.refresh_from_db()
    assert begun.outcome == "ok"


def test_each_answer_is_a_sign_of_life(begun: Verification, sandbox: Sandbox) -> None:
    sandbox.latency = 0.1  # two answers, one after the other, take longer than this
    before = now()

    tasks.run_verification(begun.organization_id, begun.pk)

    begun.refresh_from_db()
    assert begun.lease_until is not None
    assert begun.lease_until > before + SILENCE + timedelta(seconds=0.1)


def test_what_nobody_could_end_in_an_hour_is_given_up(begun: Verification, send_lost: Any) -> None:
    fall_silent(begun, due.GIVEN_UP)

    assert begun.is_lost
    assert send_lost() == 0
