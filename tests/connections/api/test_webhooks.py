"""webhooks.*: made, looked at and removed by a script."""

import pytest

from connections.models import Connection
from connections.selectors import webhook_secrets
from tenants import access
from tenants.models import IdempotentCall, Organization, Scope
from tests.connections.api.conftest import MakeScript, Script
from tests.connections.hooked import hooks_of, of_owner
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def owned(connection: Connection, sandbox: Sandbox) -> Connection:
    """A connection with a credential that may make webhooks of the whole workspace."""
    of_owner(connection, sandbox)
    return connection


def believed(connection: Connection) -> tuple[str, ...]:
    with access.enter(connection.organization):
        return webhook_secrets(connection)


def test_a_script_registers_webhooks_and_is_told_the_secret_once(
    script: Script, owned: Connection, sandbox: Sandbox
) -> None:
    first = script.post(f"connections/{owned.pk}/webhooks.register", {})
    again = script.post(f"connections/{owned.pk}/webhooks.register", {})
    status = script.get(f"connections/{owned.pk}/webhooks.status")

    assert first.status == 200, first.body
    assert (first.body["created"], first.body["problem"]) == (["acme"], None)
    assert (first.body["secret"],) == believed(owned)
    assert "secret" not in again.body
    assert first.body["secret"] not in f"{again.body} {status.body}"
    (hook,) = status.body["webhooks"]["hooks"]
    assert (hook["scope"], hook["name"], hook["state"]) == ("workspace", "acme", "active")
    assert (hook["missing_events"], status.body["webhooks"]["state"]) == ([], "active")


def test_it_rotates(script: Script, owned: Connection, sandbox: Sandbox) -> None:
    first = script.post(f"connections/{owned.pk}/webhooks.register", {}).body["secret"]
    second = script.post(f"connections/{owned.pk}/webhooks.register", {"rotate": True}).body

    assert believed(owned) == (second["secret"], first)
    assert second["webhooks"]["old_secret_until"] is not None
    assert hooks_of(sandbox)[0].secret == second["secret"]


def test_in_a_form_and_an_address_true_is_a_word(script: Script, owned: Connection) -> None:
    place = f"connections/{owned.pk}/webhooks"
    secrets = [
        script.form(f"{place}.register", rotate=said).body.get("secret")
        for said in ("true", "True", "1", "false", "0")
    ]

    assert [bool(secret) for secret in secrets] == [True, True, True, False, False]
    assert script.form(f"{place}.register", rotate="yes").error == "invalid_arguments"
    looks = [script.get(f"{place}.status", look=said).status for said in ("true", "0", "on")]
    assert looks == [200, 200, 422]


def test_a_repeated_call_gets_the_same_secret_which_is_kept_encrypted(
    script: Script, owned: Connection
) -> None:
    sent = {"Idempotency-Key": "one"}
    first = script.post(f"connections/{owned.pk}/webhooks.register", {"rotate": True}, **sent)
    again = script.post(f"connections/{owned.pk}/webhooks.register", {"rotate": True}, **sent)

    assert again.body == first.body
    assert len(believed(owned)) == 1
    kept = IdempotentCall.objects.filter(status=200).values("answer", "sent_hash")
    assert first.body["secret"].encode() not in kept[0]["answer"].ciphertext


def test_where_no_credential_may_it_says_why_and_how_a_person_does_it(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.change.remove_scope("acme workspace token", "webhook")

    answer = script.post(f"connections/{connection.pk}/webhooks.register", {})

    problem, shown = answer.body["problem"], answer.body["webhooks"]
    assert (problem["code"], problem["missing_scopes"]) == ("invalid_permissions", ["webhook"])
    assert (shown["state"], shown["hooks"]) == ("by_hand", [])
    assert "$SECRET" in shown["commands"][0]["command"]
    assert answer.body["secret"] not in shown["commands"][0]["command"]


def test_a_look_sees_what_happened_at_bitbucket(
    script: Script, owned: Connection, sandbox: Sandbox
) -> None:
    script.post(f"connections/{owned.pk}/webhooks.register", {})
    sandbox.change.edit_hook(hooks_of(sandbox)[0].uuid, active=False)

    before = script.get(f"connections/{owned.pk}/webhooks.status").body
    after = script.get(f"connections/{owned.pk}/webhooks.status", look="true").body

    states = [one["webhooks"]["hooks"][0]["state"] for one in (before, after)]
    assert (states, after["webhooks"]["state"]) == (["active", "inactive"], "broken")


def test_it_removes_them(script: Script, owned: Connection, sandbox: Sandbox) -> None:
    script.post(f"connections/{owned.pk}/webhooks.register", {})

    answer = script.post(f"connections/{owned.pk}/webhooks.remove", {})

    assert (answer.body["removed"], answer.body["webhooks"]["state"]) == (["acme"], "off")
    assert (hooks_of(sandbox), believed(owned)) == ([], ())


def test_it_needs_the_scope_and_a_connection_that_has_webhooks(
    script_of: MakeScript, organization: Organization, owned: Connection
) -> None:
    reader = script_of(organization, [Scope.CONNECTIONS_READ])
    writer = script_of(organization)
    place = f"connections/{owned.pk}/webhooks"

    assert reader.get(f"{place}.status").body["webhooks"]["commands"] == []
    assert reader.get(f"{place}.status", look="true").error == "missing_scope"
    assert reader.post(f"{place}.register", {}).error == "missing_scope"
    assert reader.post(f"{place}.remove", {}).error == "missing_scope"
    assert writer.post(f"{place}.register", {"rotate": "maybe"}).error == "invalid_arguments"
    assert writer.post(f"connections/{2**62}/webhooks.remove", {}).error == "connection_not_found"
    Connection.objects.filter(pk=owned.pk).update(connector="bitbucket_pipelines")
    assert writer.post(f"{place}.register", {}).error == "connection_not_ready"
    assert writer.get(f"{place}.status").error == "connection_not_ready"
