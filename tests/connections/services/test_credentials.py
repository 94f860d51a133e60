"""Verified before stored, on create and on every update."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from connections.connectors import connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential, Verification
from connections.services.changing import update_credential
from connections.services.credentials import (
    create_credential,
    delete_credential,
    disable_credential,
    enable_credential,
)
from connections.services.entries import entry_for
from connections.services.errors import (
    CredentialDeleted,
    OtherWorkspace,
    UnknownMethodGiven,
    VerificationFailed,
    VerificationsTooMany,
    VersionChanged,
)
from connections.services.verification import verify_credential
from connections.transport.ledger import Purpose
from tenants.actor import Actor
from tenants.models import AuditEvent
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def row(credential: Credential) -> dict[str, Any]:
    return Credential.objects.filter(pk=credential.pk).values().get()


@pytest.mark.parametrize("name", ["password", "access_token", "token"])
def test_an_api_token_is_stored_with_whom_it_acts_as(
    name: str, connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    secret = sandbox.tokens.api_token("ada@example.com")

    stored = create_credential(
        connection=connection,
        settings={"username": "ada@example.com"},
        secrets={name: secret},
        by=actor,
    ).credential

    assert stored is not None
    assert stored.method == "api_token"
    assert stored.secrets == {"password": secret}
    assert stored.identity == sandbox.world.persona("ada").uuid
    assert stored.label == "Atlassian API token of Ada Admin"
    assert Verification.objects.filter(credential=stored, outcome="ok").exists()


def test_tokens_of_one_account_share_a_window_while_bitbucket_takes_them(
    connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    kind = connector(connection.connector)
    stored = [
        create_credential(
            connection=connection,
            settings={"username": "ada@example.com"},
            secrets={"token": sandbox.tokens.api_token("ada@example.com")},
            by=actor,
        ).credential
        for _ in range(2)
    ]

    entries = [entry_for(one, purpose=Purpose.PERSON) for one in stored if one]
    shared = {one.quota_subject for one in stored if one}

    assert {kind.quota_subject(entry) for entry in entries} == shared
    assert len(shared) == 1

    refused = Credential.objects.filter(quota_subject__in=shared)[0]
    refused.status = Credential.Status.INVALID
    alone = entry_for(refused, purpose=Purpose.VERIFY)
    assert kind.quota_subject(alone) not in shared


def test_on_failure_nothing_is_stored(
    connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    secret = sandbox.tokens.workspace("acme", ["account", "repository", "pullrequest"])
    events = AuditEvent.objects.exclude(event_type="secrets.tried").count()

    with pytest.raises(VerificationFailed) as caught:
        create_credential(connection=connection, secrets={"api_token": secret}, by=actor)

    assert caught.value.code == "invalid_permissions"
    assert caught.value.missing_scopes == ("pipeline",)
    assert "pipelines" not in caught.value.streams_available
    assert "people" in caught.value.streams_available
    assert Credential.objects.count() == 1
    assert AuditEvent.objects.exclude(event_type="secrets.tried").count() == events
    assert secret not in str(caught.value)


def test_a_dry_run_checks_everything_and_stores_nothing(
    connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    secret = sandbox.tokens.workspace("acme")

    found = create_credential(
        connection=connection, secrets={"api_token": secret}, by=actor, dry_run=True
    )

    assert found.credential is None
    assert found.finding.is_ok
    assert Credential.objects.count() == 1


def test_a_secret_of_another_workspace_is_refused(
    connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    """Ben's token sees acme too, but a token of globex alone does not open acme."""
    secret = sandbox.tokens.workspace("globex")

    with pytest.raises((OtherWorkspace, VerificationFailed)):
        create_credential(connection=connection, secrets={"api_token": secret}, by=actor)

    assert Credential.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"secrets": {}}, "secrets"),
        ({"secrets": {"api_token": "a", "password": "b"}}, "secrets.password"),
        ({"secrets": {"api_token": ""}}, "secrets"),
        ({"secrets": {"api_token": "a b"}}, "secrets.api_token"),
        ({"secrets": {"api_token": "a", "colour": "red"}}, "secrets.colour"),
        ({"secrets": {"token": "ATATTx"}}, "settings.username"),
        ({"secrets": {"password": "x"}, "settings": {"username": "ada"}}, "settings.username"),
        ({"secrets": {"api_token": "x" * 5000}}, "secrets.api_token"),
        ({"secrets": {"api_token": "a\x00"}}, "secrets.api_token"),
        ({"secrets": {"api_token": "a"}, "settings": {"repository": ".."}}, "settings.repository"),
        ({"secrets": {"api_token": "ATCTTx"}, "label": "x" * 101}, "label"),
    ],
)
def test_bad_input_is_named_before_anything_is_asked(
    given: dict[str, Any], field: str, connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    asked = len(sandbox.requests)

    with pytest.raises(InvalidFields) as caught:
        create_credential(connection=connection, by=actor, **given)

    assert field in caught.value.fields
    assert len(sandbox.requests) == asked


@pytest.mark.parametrize("method", ["magic", "oauth2"])
def test_a_method_that_cannot_be_given_is_unknown(
    method: str, connection: Connection, actor: Actor
) -> None:
    with pytest.raises(UnknownMethodGiven):
        create_credential(
            connection=connection, method=method, secrets={"api_token": "x"}, by=actor
        )


def test_an_app_password_is_explained(
    connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    with pytest.raises(VerificationFailed, match="2026-07-28") as caught:
        create_credential(
            connection=connection,
            settings={"username": "ada"},
            secrets={"password": sandbox.tokens.app_password("ada@example.com")},
            by=actor,
        )

    assert caught.value.code == "invalid_credentials"


def test_a_new_secret_takes_over_after_it_proved_itself(
    credential: Credential, actor: Actor, sandbox: Sandbox
) -> None:
    before = row(credential)
    secret = sandbox.tokens.workspace("acme")

    update_credential(credential=credential, secrets={"token": secret}, by=actor)

    credential = Credential.objects.get(pk=credential.pk)
    assert credential.secrets == {"api_token": secret}
    assert credential.version == before["version"] + 1
    assert credential.secret_hash != before["secret_hash"]
    assert credential.quota_subject != before["quota_subject"]
    event = AuditEvent.objects.filter(event_type="credentials.updated").get()
    assert event.changes == {"secrets": "changed"}


def test_a_secret_that_fails_leaves_the_row_as_it_was(
    credential: Credential, actor: Actor, secret: str
) -> None:
    before = row(credential)

    with pytest.raises(VerificationFailed):
        update_credential(
            credential=credential, label="New", secrets={"api_token": "ATCTT-no"}, by=actor
        )

    after = row(credential)
    assert after.pop("secrets").ciphertext == before.pop("secrets").ciphertext
    assert after == before
    assert Credential.objects.get(pk=credential.pk).secrets == {"api_token": secret}


def test_settings_merge_by_key_and_null_removes(
    credential: Credential, actor: Actor, sandbox: Sandbox
) -> None:
    update_credential(credential=credential, settings={"repository": "api"}, by=actor)
    api = sandbox.world.workspaces["acme"].repositories["api"]
    assert Credential.objects.get().settings == {"repository": api.uuid}

    update_credential(credential=credential, settings={"repository": None}, by=actor)
    assert Credential.objects.get().settings == {}


def test_label_and_date_alone_are_stored_whatever_the_checks_say(
    credential: Credential, actor: Actor, secret: str, sandbox: Sandbox
) -> None:
    sandbox.change.revoke(secret)

    found = update_credential(
        credential=credential, label="Old one", expiration_date=date(2027, 1, 31), by=actor
    )

    assert found.finding.outcome == "invalid_credentials"
    kept = Credential.objects.get()
    assert (kept.label, kept.expiration_date) == ("Old one", date(2027, 1, 31))
    assert kept.status == Credential.Status.INVALID
    update_credential(credential=kept, expiration_date=None, by=actor)
    assert Credential.objects.get().expiration_date is None


def test_an_update_of_an_older_version_is_refused(credential: Credential, actor: Actor) -> None:
    with pytest.raises(VersionChanged):
        update_credential(
            credential=credential, label="New", version=credential.version + 1, by=actor
        )

    assert Credential.objects.get().label == credential.label


def test_a_deleted_credential_keeps_no_secret_and_the_last_one_may_go(
    connection: Connection, credential: Credential, actor: Actor
) -> None:
    delete_credential(credential=credential, by=actor)

    assert Credential.objects.get().secrets is None
    connection.refresh_from_db()
    assert connection.status == Connection.Status.ERROR
    assert connection.status_code == "no_credentials"


def test_a_credential_that_is_switched_off_is_not_used(
    connection: Connection, credential: Credential, actor: Actor, secret: str
) -> None:
    disable_credential(credential=credential, by=actor)
    connection.refresh_from_db()
    assert connection.status == Connection.Status.ERROR

    enable_credential(credential=credential, by=actor)
    connection.refresh_from_db()
    assert connection.status == Connection.Status.AVAILABLE
    assert Credential.objects.get().secrets == {"api_token": secret}


def test_another_credential_that_works_mends_the_connection(
    connection: Connection, credential: Credential, actor: Actor, secret: str, sandbox: Sandbox
) -> None:
    sandbox.change.revoke(secret)
    verify_credential(credential=credential, by=actor)
    connection.refresh_from_db()
    assert connection.status == Connection.Status.ERROR

    create_credential(
        connection=connection, secrets={"api_token": sandbox.tokens.workspace("acme")}, by=actor
    )

    connection.refresh_from_db()
    assert connection.status == Connection.Status.AVAILABLE
    assert connection.status_code == ""


def test_people_start_thirty_verifications_a_minute_at_most(
    credential: Credential, actor: Actor
) -> None:
    def many() -> None:
        for _ in range(31):
            verify_credential(credential=credential, by=actor)

    with pytest.raises(VerificationsTooMany) as caught:
        many()

    assert 0 < caught.value.retry_after <= 60


def test_a_change_that_changes_nothing_leaves_no_trace(
    credential: Credential, actor: Actor
) -> None:
    before = Credential.objects.get(pk=credential.pk)

    update_credential(credential=credential, by=actor)
    update_credential(credential=credential, label=before.label, secrets={}, by=actor)

    assert Credential.objects.get(pk=credential.pk).version == before.version
    assert not AuditEvent.objects.filter(event_type="credentials.updated").exists()


def test_who_asked_for_no_version_changes_what_is_there(
    credential: Credential, actor: Actor
) -> None:
    seen = Credential.objects.get(pk=credential.pk)
    update_credential(credential=credential, label="First", by=actor)

    update_credential(credential=seen, expiration_date=date(2030, 1, 1), by=actor)

    kept = Credential.objects.get(pk=credential.pk)
    assert (kept.label, kept.expiration_date) == ("First", date(2030, 1, 1))


def test_who_comes_late_to_a_deleted_credential_finds_none(
    credential: Credential, actor: Actor
) -> None:
    seen = Credential.objects.get(pk=credential.pk)
    delete_credential(credential=credential, by=actor)

    for change in (delete_credential, partial(update_credential, label="Late")):
        with pytest.raises(CredentialDeleted):
            change(credential=seen, by=actor)
