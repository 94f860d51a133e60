"""The methods connections.*, against the simulated Bitbucket."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from connections.models import Connection, Credential
from tenants.models import AuditEvent, Organization
from tests.connections.api.conftest import MakeScript, Script, new_connection
from tests.factories import ConnectionFactory, OrganizationFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

ROW = {
    "id",
    "public_id",
    "type",
    "name",
    "state",
    "state_code",
    "state_message",
    "settings",
    "parent_id",
    "schedule",
    "selection",
    "tags",
    "supports_multiple_credentials",
    "disabled_at",
    "last_synced_at",
    "next_sync_at",
    "verified_at",
    "created_at",
    "etag",
}


def test_a_connection_is_created_verified(script: Script, token: str, sandbox: Sandbox) -> None:
    answer = script.post("connections.create", new_connection(token))

    assert answer.status == 201, answer.body
    row = answer.body["connection"]
    assert set(row) == ROW
    assert (row["state"], row["name"], row["settings"]) == (
        "verified",
        "Engineering",
        {"workspace": "acme"},
    )
    assert answer.body["verification"]["outcome"] == "ok"
    stored = Connection.objects.get()
    assert stored.identity == sandbox.world.workspaces["acme"].uuid
    assert stored.next_sync_at is None or stored.schedule["kind"] != "off"
    assert token not in str(answer.body)


def test_without_a_credential_it_waits_for_a_member(script: Script) -> None:
    body = new_connection("")
    del body["credential"]

    answer = script.post("connections.create", body)

    connection = Connection.objects.get()
    assert answer.status == 201
    assert answer.body["connection"]["state"] == "pending"
    path = f"/o/{connection.organization.slug}/connections/{connection.pk}/finish/"
    assert answer.body["complete_url"] == f"http://testserver{path}"
    assert connection.created_by_name == "API key terraform"


def test_where_no_stream_is_chosen_all_are_named(script: Script) -> None:
    body = new_connection("")
    del body["credential"]
    body.pop("selection", None)

    selection = script.post("connections.create", body).body["connection"]["selection"]

    assert {"repositories", "pull_requests", "pipelines"} <= set(selection["streams"])


def test_a_missing_scope_stores_nothing_and_names_what_would_do(
    script: Script, sandbox: Sandbox
) -> None:
    token = sandbox.tokens.workspace("acme", scopes=["account", "repository", "pullrequest"])

    refused = script.post("connections.create", new_connection(token))
    stored = Connection.objects.count()
    streams = refused.body["streams_available"]
    accepted = script.post(
        "connections.create", new_connection(token, selection={"streams": streams})
    )

    assert (refused.status, refused.error) == (422, "invalid_permissions")
    assert refused.body["missing_scopes"] == ["pipeline"]
    assert stored == 0
    assert "pull_requests" in streams
    assert "pipelines" not in streams
    assert accepted.status == 201, accepted.body
    assert accepted.body["connection"]["selection"]["streams"] == streams


@pytest.mark.parametrize(
    ("secret", "workspace", "code"),
    [
        ("ATCTT-revoked", "acme", "invalid_credentials"),
        ("", "globex", "workspace_not_found"),
    ],
)
def test_what_fails_at_bitbucket_is_told(
    script: Script, token: str, secret: str, workspace: str, code: str
) -> None:
    body = new_connection(secret or token, settings={"workspace": workspace})

    answer = script.post("connections.create", body)

    assert answer.status == 422
    assert answer.error in {code, "no_resources"} if code == "workspace_not_found" else code
    assert not Connection.objects.exists()
    assert not Credential.objects.exists()


def test_bitbucket_that_does_not_answer_is_no_fault_of_the_caller(
    script: Script, token: str, sandbox: Sandbox
) -> None:
    sandbox.faults.add(".*", status=503)

    answer = script.post("connections.create", new_connection(token))

    assert (answer.status, answer.error) == (502, "unreachable")
    assert not Connection.objects.exists()


def test_an_address_of_the_workspace_becomes_its_name(script: Script, token: str) -> None:
    body = new_connection(token, settings={"workspace": "https://bitbucket.org/acme/"})

    answer = script.post("connections.create", body)

    assert answer.body["connection"]["settings"] == {"workspace": "acme"}


def test_a_name_is_taken_once(script: Script, token: str, organization: Organization) -> None:
    ConnectionFactory.create(organization=organization, name="Engineering")

    answer = script.post("connections.create", new_connection(token))

    assert (answer.status, answer.error) == (422, "name_taken")


def test_a_workspace_is_connected_once(script: Script, token: str, connection: Connection) -> None:
    answer = script.post("connections.create", new_connection(token, name="Again"))

    assert (answer.status, answer.error) == (409, "already_connected")
    assert connection.name in answer.body["message"]
    assert answer.body["connection_id"] == connection.pk


def test_creating_with_a_credential_needs_both_scopes(
    organization: Organization, script_of: MakeScript, token: str
) -> None:
    script = script_of(organization, scopes=["connections:write"])

    answer = script.post("connections.create", new_connection(token))

    assert (answer.status, answer.error) == (403, "missing_scope")
    assert "credentials:write" in answer.body["message"]
    assert not Connection.objects.exists()


def test_a_list_is_ordered_and_leaves_pending_ones_out(
    script: Script, organization: Organization
) -> None:
    for name, status in (("b", "available"), ("a", "error"), ("c", "pending")):
        ConnectionFactory.create(organization=organization, name=name, status=status)
    ConnectionFactory.create(organization=OrganizationFactory.create())

    def names(**query: str) -> list[str]:
        rows = script.get("connections.list", **query).body["connections"]
        return [row["name"] for row in rows]

    assert names() == ["a", "b"]
    assert names(state="pending") == ["c"]
    assert names(state="all") == ["a", "b", "c"]
    assert names(state="verified") == ["b"]
    assert names(type="bitbucket_cloud") == ["a", "b"]


def test_a_list_goes_on_at_its_cursor(script: Script, organization: Organization) -> None:
    for name in "abc":
        ConnectionFactory.create(organization=organization, name=name)

    first = script.get("connections.list", limit="2").body
    cursor = first["response_metadata"]["next_cursor"]
    ConnectionFactory.create(organization=organization, name="aa")
    second = script.get("connections.list", limit="2", cursor=cursor).body

    assert [row["name"] for row in first["connections"]] == ["a", "b"]
    assert [row["name"] for row in second["connections"]] == ["c"]
    assert second["response_metadata"]["next_cursor"] is None


def test_info_has_credentials_and_the_last_sync(script: Script, connection: Connection) -> None:
    body = script.get(f"connections.info/{connection.pk}").body

    assert body["connection"]["id"] == connection.pk
    assert [row["method"] for row in body["credentials"]] == ["access_token"]
    assert body["last_sync"] is None
    assert "secrets" not in body["credentials"][0]


@pytest.mark.parametrize("pk", ["0", "1", "99999999999999999999", "-1", "abc", "²"])
def test_what_is_not_there_is_told_alike(script: Script, pk: str) -> None:
    elsewhere = ConnectionFactory.create(organization=OrganizationFactory.create())

    absent = script.get(f"connections.info/{pk}")
    foreign = script.get(f"connections.info/{elsewhere.pk}")

    assert (absent.status, absent.error) == (404, "connection_not_found")
    absent.body.pop("request_id"), foreign.body.pop("request_id")
    assert absent.body == foreign.body


def test_verify_answers_with_the_checks(script: Script, connection: Connection) -> None:
    answer = script.post("connections.verify", {"id": connection.pk})

    verification = answer.body["verification"]
    assert (answer.status, verification["outcome"]) == (200, "ok")
    assert set(verification["checks"][0]) == {
        "name",
        "method",
        "path",
        "status",
        "ms",
        "outcome",
        "missing_scopes",
        "message",
        "curl",
    }


def test_verify_answers_also_when_it_fails(
    script: Script, connection: Connection, sandbox: Sandbox, token: str
) -> None:
    sandbox.change.revoke(token)

    answer = script.post("connections.verify", {"id": connection.pk})

    assert answer.status == 200
    assert answer.body["verification"]["outcome"] == "invalid_credentials"
    connection.refresh_from_db()
    assert connection.status == Connection.Status.ERROR


def test_verify_without_a_credential_is_not_ready(
    script: Script, organization: Organization
) -> None:
    empty = ConnectionFactory.create(organization=organization)

    answer = script.post("connections.verify", {"id": empty.pk})

    assert (answer.status, answer.error) == (409, "connection_not_ready")


def test_update_changes_name_and_schedule(script: Script, connection: Connection) -> None:
    schedule = {"kind": "every", "minutes": 30}

    answer = script.post(
        "connections.update", {"id": connection.pk, "name": "Renamed", "schedule": schedule}
    )

    assert answer.status == 200, answer.body
    assert answer.body["connection"]["name"] == "Renamed"
    assert answer.body["connection"]["schedule"] == schedule


def test_an_old_etag_changes_nothing(script: Script, connection: Connection) -> None:
    etag = script.get(f"connections.info/{connection.pk}").body["connection"]["etag"]
    body = {"id": connection.pk, "name": "First"}
    script.post("connections.update", body)

    answer = script.post("connections.update", {**body, "name": "Second"}, **{"If-Match": etag})

    assert (answer.status, answer.error) == (412, "precondition_failed")
    connection.refresh_from_db()
    assert connection.name == "First"


def test_disable_and_enable(script: Script, connection: Connection) -> None:
    off = script.post("connections.disable", {"id": connection.pk}).body["connection"]
    on = script.post("connections.enable", {"id": connection.pk}).body["connection"]

    assert (off["state"], on["state"]) == ("disabled", "verified")
    assert off["disabled_at"].endswith("Z")
    assert on["disabled_at"] is None


def test_delete_erases_the_secrets(script: Script, connection: Connection) -> None:
    answer = script.post("connections.delete", {"id": connection.pk})

    assert (answer.status, answer.body) == (200, {"ok": True})
    assert script.get(f"connections.info/{connection.pk}").error == "connection_not_found"
    assert Credential.objects.get().secrets is None
    assert AuditEvent.objects.filter(event_type="connections.deleted").exists()


def test_a_form_body_says_the_same(script: Script, token: str) -> None:
    body = new_connection(token, selection={"streams": ["people"]})
    form = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()
    }

    answer = script.client.post(
        "/api/connections.create",
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {script.key}"},
    )

    assert answer.status_code == 201, answer.content
    assert answer.json()["connection"]["selection"]["streams"] == ["repositories", "people"]


def test_verifications_are_limited(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.faults.add(".*", status=401)
    answers = [script.post("connections.verify", {"id": connection.pk}) for _ in range(31)]

    assert {answer.status for answer in answers[:30]} == {200}
    assert (answers[30].status, answers[30].error) == (429, "rate_limited")
    assert 0 < int(answers[30].headers["Retry-After"]) <= 60


def test_a_list_asks_the_database_as_often_for_many(
    script: Script, organization: Organization, django_assert_max_num_queries: Any
) -> None:
    ConnectionFactory.create_batch(50, organization=organization)

    with django_assert_max_num_queries(6):
        answer = script.get("connections.list")

    assert len(answer.body["connections"]) == 50
