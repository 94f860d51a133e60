"""The methods credentials.*, against the simulated Bitbucket."""

from typing import Any

import pytest

from connections.models import Connection, Credential
from ingestion.models import Quota, QuotaBucket
from tenants.models import AuditEvent, Organization
from tests.connections.api.conftest import Script
from tests.factories import ConnectionFactory, CredentialFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

ROW = {
    "id",
    "type",
    "label",
    "method",
    "settings",
    "created_at",
    "disabled_at",
    "expiration_date",
    "status",
    "identity",
    "acts_as",
    "scopes",
    "last_used_at",
    "etag",
}


def call(connection: Connection, verb: str) -> str:
    return f"connections/{connection.pk}/credentials.{verb}"


def test_a_credential_is_created_after_it_was_verified(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    second = sandbox.tokens.workspace("acme", label="second")

    answer = script.post(
        call(connection, "create"),
        {"secrets": {"api_token": second}, "label": "CI", "expiration_date": "2027-05-01"},
    )

    assert answer.status == 201, answer.body
    row = answer.body["credential"]
    assert set(row) == ROW
    assert (row["type"], row["label"], row["expiration_date"], row["method"]) == (
        "bitbucket_cloud",
        "CI",
        "2027-05-01",
        "access_token",
    )
    assert answer.body["verification"]["outcome"] == "ok"
    assert second not in str(answer.body)


def test_what_the_checks_asked_is_told_as_asked_by_us(
    script: Script, organization: Organization, sandbox: Sandbox, token: str
) -> None:
    new = {"type": "bitbucket_cloud", "name": "Engineering", "settings": {}}
    made = script.post("connections.create", {**new, "credential": {"secrets": {"token": token}}})
    row, second = made.body["credential"], sandbox.tokens.workspace("acme")

    changed = script.post(
        f"connections/{made.body['connection']['id']}/credentials.update",
        {"id": row["id"], "secrets": {"token": second}},
    )

    assert changed.status == 200, changed.body
    assert Quota.objects.count() == 2
    assert set(QuotaBucket.objects.values_list("whose", flat=True)) == {organization.pk}


def test_a_method_is_recognised_and_a_label_made(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    secret = sandbox.tokens.api_token("ada@example.com")

    row = script.post(
        call(connection, "create"),
        {"settings": {"username": "ada@example.com"}, "secrets": {"password": secret}},
    ).body["credential"]

    assert row["method"] == "api_token"
    assert row["label"]
    assert row["identity"]


@pytest.mark.parametrize("alias", ["access_token", "token", "api_token"])
def test_the_secret_has_other_names(
    script: Script, connection: Connection, sandbox: Sandbox, alias: str
) -> None:
    secret = sandbox.tokens.workspace("acme", label="other")

    answer = script.post(call(connection, "create"), {"secrets": {alias: secret}})

    assert answer.status == 201, answer.body


def test_two_secrets_at_once_are_refused(script: Script, connection: Connection) -> None:
    answer = script.post(
        call(connection, "create"), {"secrets": {"api_token": "a", "password": "b"}}
    )

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert any(name.startswith("secrets") for name in answer.body["fields"])


def test_an_app_password_is_explained(script: Script, connection: Connection) -> None:
    answer = script.post(
        call(connection, "create"),
        {"settings": {"username": "ada"}, "secrets": {"password": "ATBBexampleexample"}},
    )

    assert answer.status == 422
    assert "API token" in answer.body["message"]


def test_a_refused_secret_stores_nothing(script: Script, connection: Connection) -> None:
    answer = script.post(call(connection, "create"), {"secrets": {"api_token": "ATCTTwrong"}})

    assert (answer.status, answer.error) == (422, "invalid_credentials")
    assert Credential.objects.count() == 1


def test_a_secret_of_another_workspace_is_refused(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    other = sandbox.tokens.workspace("globex")

    answer = script.post(call(connection, "create"), {"secrets": {"api_token": other}})

    assert answer.status == 422
    assert Credential.objects.count() == 1


def test_update_replaces_the_secret_after_it_was_verified(
    script: Script, connection: Connection, credential: Credential, sandbox: Sandbox
) -> None:
    fresh = sandbox.tokens.workspace("acme", label="fresh")
    body = {"id": credential.pk, "secrets": {"api_token": fresh}}

    answer = script.post(call(connection, "update"), body)

    assert answer.status == 200, answer.body
    credential.refresh_from_db()
    assert dict(credential.secrets) == {"api_token": fresh}


@pytest.fixture
def narrower(connection: Connection, sandbox: Sandbox) -> str:
    """A token that sees one project's repositories, for a connection that wants no more of it."""
    connection.selection = {**connection.selection, "streams": ["repositories", "pull_requests"]}
    connection.save()
    return sandbox.tokens.project("acme", next(iter(sandbox.world.workspaces["acme"].projects)))


def test_update_tells_what_the_new_secret_sees_beside_the_old_one(
    script: Script, connection: Connection, credential: Credential, narrower: str, sandbox: Sandbox
) -> None:
    repositories = sandbox.world.workspaces["acme"].repositories
    kept = dict(credential.secrets)
    body: dict[str, Any] = {"id": credential.pk, "secrets": {"api_token": narrower}}

    looked = script.post(call(connection, "update") + "?dry_run=1", body)
    refused = script.post(call(connection, "update"), {**body, "refuse_fewer": True})

    told = looked.body["comparison"]
    assert (told["saw"], told["more"], told["more_count"]) == (len(repositories), [], 0)
    assert told["sees"] + told["fewer_count"] == told["saw"]
    assert set(told["fewer"]) < {f"acme/{slug}" for slug in repositories}
    assert (refused.status, refused.error) == (412, "precondition_failed")
    assert all(name in refused.body["message"] for name in told["fewer"])
    credential.refresh_from_db()
    assert dict(credential.secrets) == kept

    stored = script.post(call(connection, "update"), body)

    assert stored.body["comparison"] == told
    credential.refresh_from_db()
    assert dict(credential.secrets) == {"api_token": narrower}
    event = AuditEvent.objects.get(event_type="credentials.updated")
    assert event.changes["fewer"] == told["fewer"]


def test_what_sees_as_much_is_not_refused_and_no_secret_is_not_compared(
    script: Script, connection: Connection, credential: Credential, sandbox: Sandbox
) -> None:
    scopes = ["account", "repository:write", "pullrequest", "pipeline"]
    fresh = sandbox.tokens.workspace("acme", scopes, label="fresh")
    body = {"id": credential.pk, "secrets": {"api_token": fresh}, "refuse_fewer": True}

    stored = script.post(call(connection, "update"), body)
    named = script.post(call(connection, "update"), {"id": credential.pk, "label": "CI"})

    assert stored.status == 200
    assert stored.body["comparison"]["fewer_count"] == 0
    assert stored.body["verification"]["unneeded_scopes"] == ["repository:write"]
    assert "comparison" not in named.body


def test_a_token_tells_a_pending_connection_what_it_is_to(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    pending = script.post("connections.create", {"type": "bitbucket_cloud", "name": "Late"})
    unnamed = ConnectionFactory.create(
        organization=connection.organization, status="pending", identity="", settings={}
    )
    odd = next(iter(sandbox.world.workspaces["globex"].repositories))
    silent = {"api_token": sandbox.tokens.repository("globex", odd)}

    refused = script.post(call(unnamed, "create"), {"secrets": silent})
    token = {"api_token": sandbox.tokens.workspace("globex")}
    stored = script.post(call(unnamed, "create"), {"secrets": token})

    assert pending.status == 422
    assert (refused.status, set(refused.body["fields"])) == (422, {"secrets"})
    assert stored.status == 201, stored.body
    unnamed.refresh_from_db()
    assert unnamed.settings == {"workspace": "globex"}


def test_a_failed_update_leaves_the_row(
    script: Script, connection: Connection, credential: Credential, token: str
) -> None:
    body = {"id": credential.pk, "label": "new", "secrets": {"api_token": "ATCTTwrong"}}

    answer = script.post(call(connection, "update"), body)

    assert (answer.status, answer.error) == (422, "invalid_credentials")
    credential.refresh_from_db()
    assert dict(credential.secrets) == {"api_token": token}
    assert credential.label != "new"


def test_what_is_left_out_stays(
    script: Script, connection: Connection, credential: Credential, token: str
) -> None:
    body: dict[str, Any] = {"id": credential.pk, "label": "Kept", "secrets": {}}
    script.post(call(connection, "update"), {**body, "expiration_date": "2027-01-31"})

    cleared = script.post(
        call(connection, "update"), {"id": credential.pk, "expiration_date": None}
    )

    assert cleared.body["credential"]["expiration_date"] is None
    assert cleared.body["credential"]["label"] == "Kept"
    credential.refresh_from_db()
    assert dict(credential.secrets) == {"api_token": token}


def test_a_label_is_stored_whatever_the_verification_says(
    script: Script, connection: Connection, credential: Credential, sandbox: Sandbox, token: str
) -> None:
    sandbox.change.revoke(token)

    answer = script.post(call(connection, "update"), {"id": credential.pk, "label": "Old one"})

    assert answer.status == 200, answer.body
    assert answer.body["credential"]["label"] == "Old one"
    assert answer.body["verification"]["outcome"] == "invalid_credentials"


def test_info_answers_for_deleted_ones_too(
    script: Script, connection: Connection, credential: Credential
) -> None:
    script.post(call(connection, "delete"), {"id": credential.pk})

    info = script.get(f"{call(connection, 'info')}/{credential.pk}")
    listed = script.get(call(connection, "list")).body["credentials"]

    assert info.body["credential"]["deleted_at"].endswith("Z")
    assert listed == []


def test_deleting_the_last_one_says_what_is_missing(
    script: Script, connection: Connection, credential: Credential
) -> None:
    answer = script.post(call(connection, "delete"), {"id": credential.pk})

    assert answer.body == {"ok": True}
    credential.refresh_from_db()
    connection.refresh_from_db()
    assert credential.secrets is None
    assert (connection.status, connection.status_code) == ("error", "no_credentials")


def test_a_credential_of_another_connection_is_not_found(
    script: Script, connection: Connection
) -> None:
    other = CredentialFactory.create(
        connection=ConnectionFactory.create(organization=connection.organization)
    )

    answers = [
        script.get(f"{call(connection, 'info')}/{other.pk}"),
        *(
            script.post(call(connection, verb), {"id": other.pk})
            for verb in ("update", "delete", "verify", "disable", "enable")
        ),
    ]

    assert {(answer.status, answer.error) for answer in answers} == {(404, "credential_not_found")}


def test_verify_disable_enable(
    script: Script, connection: Connection, credential: Credential
) -> None:
    body = {"id": credential.pk}

    verified = script.post(call(connection, "verify"), body).body["verification"]
    assert verified["unneeded_scopes"] == ["project"]
    off = script.post(call(connection, "disable"), body).body["credential"]
    on = script.post(call(connection, "enable"), body).body["credential"]

    assert verified["outcome"] == "ok"
    assert (off["status"], on["status"]) == ("disabled", "active")


@pytest.mark.parametrize("nothing", ["", "null"])
def test_a_form_clears_the_expiration_date(
    script: Script, connection: Connection, credential: Credential, nothing: str
) -> None:
    Credential.objects.filter(pk=credential.pk).update(expiration_date="2030-01-01")

    answer = script.form(
        f"connections/{connection.pk}/credentials.update",
        id=str(credential.pk),
        expiration_date=nothing,
    )

    assert answer.body["credential"]["expiration_date"] is None


def test_the_list_asks_the_database_as_often_for_many(
    script: Script, connection: Connection, django_assert_max_num_queries: Any
) -> None:
    CredentialFactory.create_batch(20, connection=connection)
    script.get(call(connection, "list"))  # notes the use of the key, once a minute

    with django_assert_max_num_queries(5):
        answer = script.get(call(connection, "list"))

    assert len(answer.body["credentials"]) == 21
