"""What the wizard knows, from the first word to the connection."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils.timezone import now

from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential, Draft, Verification
from connections.selectors import draft_of
from connections.services import due
from connections.services.connections import update_connection
from connections.services.creating import create_connection
from connections.services.drafts import (
    choose,
    discard_draft,
    fill_draft,
    finish_draft,
    leave_out,
)
from connections.services.errors import (
    AlreadyConnected,
    NameTaken,
    NotVerified,
    OtherWorkspace,
    UnknownMethodGiven,
)
from connections.services.verification import (
    begin_draft_verification,
    judge_draft,
    latest_verification,
    verify_draft,
)
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.factories import UserFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def fill(draft: Draft, actor: Actor, secret: str | None, workspace: str = "acme") -> Draft:
    return fill_draft(
        draft=draft,
        method="access_token",
        settings={"workspace": workspace},
        secrets={"api_token": secret} if secret else None,
        actor=actor,
    )


def verify(draft: Draft) -> Verification:
    found = verify_draft(begin_draft_verification(draft=draft, send=False))
    draft.refresh_from_db()
    return found


def test_a_draft_is_finished_once(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret, "acme")
    verify(draft)
    again = Draft.objects.get(pk=draft.pk)
    finish_draft(draft=draft, actor=actor)

    with pytest.raises(Draft.DoesNotExist):
        finish_draft(draft=again, actor=actor)

    assert Credential.objects.count() == 1


def test_a_verified_draft_becomes_connection_and_credential(
    draft: Draft, actor: Actor, owner: User, secret: str, sandbox: Sandbox
) -> None:
    fill(draft, actor, secret, "https://bitbucket.org/acme/api")
    assert verify(draft).outcome == "ok"
    assert {one["name"] for one in draft.repositories} == {"acme/api", "acme/billing", "acme/web"}
    choose(
        draft=draft,
        name="Engineering",
        selection={"streams": ["people"], "repositories": {"mode": "chosen", "ids": ["{1}"]}},
        schedule={"kind": "every", "minutes": 60},
    )

    connection = finish_draft(draft=draft, actor=actor)

    assert connection.status == Connection.Status.AVAILABLE
    assert connection.identity == sandbox.world.workspaces["acme"].uuid
    assert connection.settings == {"workspace": "acme"}
    assert connection.selection["streams"] == ["repositories", "people"]
    assert connection.selection["repositories"] == {"mode": "chosen", "ids": ["{1}"]}
    assert connection.created_by == owner
    assert connection.next_sync_at is not None
    assert connection.next_verification_at is not None
    credential = Credential.objects.get(connection=connection)
    assert credential.secrets == {"api_token": secret}
    assert credential.quota_subject
    assert credential.verifications.get().outcome == "ok"
    assert not Draft.objects.exists()
    assert set(AuditEvent.objects.values_list("event_type", flat=True)) == {
        "connections.created",
        "credentials.created",
        "secrets.tried",
    }
    assert secret not in str(list(AuditEvent.objects.values()))


def test_nothing_exists_before_the_end(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret)
    verify(draft)

    assert not Connection.objects.exists()
    assert not Credential.objects.exists()


def test_a_secret_stands_encrypted_in_the_database(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret)

    with database.cursor() as cursor:
        cursor.execute("SELECT secrets FROM connections_draft")
        stored = bytes(cursor.fetchone()[0])
    assert secret.encode() not in stored


@pytest.mark.parametrize("step", ["empty", "filled", "running", "failed", "refilled"])
def test_what_is_not_verified_cannot_be_finished(
    step: str, draft: Draft, actor: Actor, secret: str, sandbox: Sandbox
) -> None:
    if step != "empty":
        fill(draft, actor, "ATCTT-wrong" if step == "failed" else secret)
    if step == "running":
        begin_draft_verification(draft=draft, send=False)
    if step in {"failed", "refilled"}:
        verify(draft)
    if step == "refilled":
        fill(draft, actor, "ATCTT-another")

    with pytest.raises(NotVerified):
        finish_draft(draft=draft, actor=actor)


def test_one_goes_on_without_what_is_not_allowed(
    draft: Draft, actor: Actor, sandbox: Sandbox
) -> None:
    fill(draft, actor, sandbox.tokens.workspace("acme", ["account", "repository"]))
    assert verify(draft).outcome == "invalid_permissions"

    leave_out(draft=draft, streams=["pull_requests", "pipelines"])

    latest = latest_verification(draft)
    assert latest is not None
    assert latest.outcome == "ok"
    assert "pull_request_comments" in draft.left_out
    assert judge_draft(draft, latest).is_ok
    connection = finish_draft(draft=draft, actor=actor)
    assert connection.selection["streams"] == ["repositories", "people"]


def test_what_is_required_cannot_be_left_out(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret)

    leave_out(draft=draft, streams=["repositories"])

    assert draft.left_out == []
    with pytest.raises(InvalidFields):
        leave_out(draft=draft, streams=["weather"])


def test_a_blank_secret_keeps_the_stored_one_of_the_same_method(
    draft: Draft, actor: Actor, secret: str
) -> None:
    fill(draft, actor, secret)

    fill(draft, actor, None, "globex")

    assert draft.secrets == {"api_token": secret}
    assert draft.settings == {"workspace": "globex"}
    with pytest.raises(InvalidFields) as caught:
        fill_draft(
            draft=draft,
            method="api_token",
            settings={"workspace": "acme", "username": "ada@example.com"},
            secrets=None,
            actor=actor,
        )
    assert "secrets" in next(iter(caught.value.fields))


def test_problems_are_named_all_at_once(draft: Draft, actor: Actor) -> None:
    with pytest.raises(InvalidFields) as caught:
        fill_draft(
            draft=draft,
            method="api_token",
            settings={"workspace": "a b", "username": "ada"},
            secrets={"password": "x y"},
            actor=actor,
        )
    with pytest.raises(UnknownMethodGiven):
        fill_draft(draft=draft, method="magic", settings={}, secrets={}, actor=actor)

    names = {"settings.workspace", "settings.username", "secrets.password"}
    assert set(caught.value.fields) == names


def test_a_new_secret_makes_a_running_verification_worthless(
    draft: Draft, actor: Actor, secret: str
) -> None:
    fill(draft, actor, secret)
    begun = begin_draft_verification(draft=draft, send=False)
    fill(draft, actor, "ATCTT-another")

    verify_draft(begun)

    draft.refresh_from_db()
    assert draft.found == {}
    assert not Verification.objects.exists()


def test_a_draft_forgets_its_secret_after_an_hour(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret)
    verify(draft)
    assert draft.expires_at - now() > timedelta(minutes=59)
    Draft.objects.update(expires_at=now())

    with pytest.raises(NotVerified, match="60 minutes"):
        finish_draft(draft=draft, actor=actor)
    assert due.erase_expired_drafts() == 1
    assert due.erase_expired_drafts() == 0

    draft.refresh_from_db()
    assert draft.secrets is None
    assert draft.settings == {"workspace": "acme"}
    assert not Verification.objects.exists()


def test_an_erased_secret_is_told_as_one(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret)
    Draft.objects.update(expires_at=now())
    draft.refresh_from_db()

    found = verify(draft)

    assert found.outcome == "invalid_credentials"
    assert "60 minutes" in found.checks[0]["message"]


def test_a_draft_is_seen_by_its_author_alone(
    draft: Draft, entered: Organization, owner: User
) -> None:
    assert draft_of(entered, owner, draft.public_id) == draft
    assert draft_of(entered, UserFactory.create(), draft.public_id) is None


def test_a_discarded_draft_is_gone(draft: Draft, actor: Actor, secret: str) -> None:
    fill(draft, actor, secret)
    verify(draft)

    discard_draft(draft=draft, actor=actor)

    assert not Draft.objects.exists()
    assert not Verification.objects.exists()


def test_a_workspace_is_connected_once(
    connection: Connection, draft: Draft, actor: Actor, secret: str
) -> None:
    fill(draft, actor, secret)
    verify(draft)
    choose(draft=draft, name="Another name")

    with pytest.raises(AlreadyConnected) as caught:
        finish_draft(draft=draft, actor=actor)

    assert caught.value.connection == connection
    assert Connection.objects.count() == 1
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_a_name_is_taken_once(
    connection: Connection, draft: Draft, actor: Actor, sandbox: Sandbox
) -> None:
    fill(draft, actor, sandbox.tokens.workspace("globex"), "globex")
    verify(draft)
    choose(draft=draft, name=connection.name)

    with pytest.raises(NameTaken):
        finish_draft(draft=draft, actor=actor)


def test_a_pending_connection_is_finished_by_a_draft(
    draft: Draft, entered: Organization, owner: User, actor: Actor, secret: str
) -> None:
    made = create_connection(
        organization=entered,
        connector="bitbucket_cloud",
        name="Made by terraform",
        settings={"workspace": "acme"},
        by=actor,
    ).connection
    assert made is not None
    assert made.status == Connection.Status.PENDING
    draft.connection = made
    draft.save()
    fill(draft, actor, secret)
    verify(draft)

    connection = finish_draft(draft=draft, actor=actor)

    assert connection.pk == made.pk
    assert connection.status == Connection.Status.AVAILABLE
    assert connection.identity


def test_a_connection_cannot_be_renewed_with_another_workspace(
    connection: Connection, draft: Draft, actor: Actor, sandbox: Sandbox
) -> None:
    fill(draft, actor, sandbox.tokens.workspace("globex"), "globex")
    verify(draft)
    draft.connection = connection
    draft.save()

    with pytest.raises(OtherWorkspace, match="globex"):
        finish_draft(draft=draft, actor=actor)


def test_a_schedule_or_selection_without_sense_is_named(
    connection: Connection, actor: Actor
) -> None:
    with pytest.raises(InvalidFields) as caught:
        update_connection(connection=connection, selection={"streams": ["weather"]}, by=actor)
    assert list(caught.value.fields) == ["selection.streams"]
