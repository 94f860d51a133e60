"""Webhooks at Bitbucket: made, mended, rotated, removed."""

import shlex
import subprocess
from typing import Any

import pytest

from connections.models import Connection, Credential, WebhookSubscription
from connections.selectors import webhook_secrets, webhook_url
from connections.services import webhooks
from connections.services.connections import delete_connection
from connections.services.errors import ConnectionDeleted, ConnectionInUse, NotVerified, NoWebhooks
from connections.services.hands import Hands
from connections.services.settling import Done, Settler
from connections.services.webhook_secrets import make_secret
from connections.services.webhook_status import Standing, status_of
from connections.transport.errors import InvalidCredentials, InvalidPermissions
from tenants.models import AuditEvent
from tests.connections.hooked import ADA, WRITES, acme, chosen, hooks_of, of_owner
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox

EVENTS_OF_PULL_REQUESTS = 14


@pytest.fixture
def owned(connection: Connection, sandbox: Sandbox) -> Connection:
    """A connection with a credential that may make webhooks of the whole workspace."""
    Credential.objects.filter(connection=connection).delete()
    of_owner(connection, sandbox)
    return connection


def events(kind: str = "webhooks.changed") -> list[dict[str, Any]]:
    return [one.changes for one in AuditEvent.objects.filter(event_type=kind).order_by("pk")]


def test_one_webhook_hears_of_the_whole_workspace(owned, actor, sandbox):
    done = webhooks.register(connection=owned, by=actor)

    (hook,) = hooks_of(sandbox)
    assert hook.url == webhook_url(owned)
    assert (hook.secret,) == webhook_secrets(owned) == (done.secret,)
    assert sum(one.startswith("pullrequest:") for one in hook.events) == EVENTS_OF_PULL_REQUESTS
    assert {"repo:push", "repo:commit_status_updated"} <= set(hook.events)
    assert (done.created, done.problem) == (["acme"], None)
    assert status_of(owned).standing == Standing.ACTIVE


def test_what_is_not_copied_is_not_heard_of(owned, actor, sandbox):
    Connection.objects.filter(pk=owned.pk).update(
        selection={"repositories": {"mode": "all"}, "streams": ["repositories"], "since": None}
    )
    owned.refresh_from_db()

    webhooks.register(connection=owned, by=actor)

    assert all(one.startswith("repo:") for one in hooks_of(sandbox)[0].events)


def test_a_credential_that_may_makes_it_where_another_may_not(connection, actor, sandbox):
    of_owner(connection, sandbox)

    done = webhooks.register(connection=connection, by=actor)

    assert (len(hooks_of(sandbox)), done.created) == (1, ["acme"])


def test_where_no_credential_may_nothing_is_made_and_a_person_can(connection, actor, sandbox):
    sandbox.change.remove_scope("acme workspace token", "webhook")
    chosen(connection, sandbox, "api")

    done = webhooks.register(connection=connection, by=actor)

    status = status_of(connection)
    assert isinstance(done.problem, InvalidPermissions)
    assert done.problem.missing_scopes == ("webhook",)
    assert done.left == ["acme/api"]
    assert (status.standing, webhook_secrets(connection)) == (Standing.BY_HAND, (done.secret,))
    assert [one.place.name for one in status.commands] == ["acme", "acme/api"]


@pytest.mark.parametrize("which", [0, 1])
def test_the_command_makes_the_webhook_as_it_stands(connection, actor, sandbox, which):
    sandbox.change.remove_scope("acme workspace token", "webhook")
    chosen(connection, sandbox, "api")
    done = webhooks.register(connection=connection, by=actor)
    command = status_of(connection).commands[which].text
    person = {
        "ATLASSIAN_EMAIL": ADA,
        "ATLASSIAN_API_TOKEN": sandbox.tokens.api_token(ADA, WRITES),
        "SECRET": done.secret,
    }

    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in person.items())
    subprocess.run(["sh", "-c", f"export {given}; {command}"], check=True, capture_output=True)

    (hook,) = hooks_of(sandbox, "api" if which else "")
    assert (hook.url, hook.secret) == (webhook_url(connection), done.secret)
    assert done.secret not in command


@pytest.mark.parametrize(
    ("harm", "state"),
    [
        ({"active": False}, "inactive"),
        ({"events": ["repo:push"]}, "incomplete"),
        ({"url": "https://elsewhere.example.com/hook"}, "active"),
        ({"secret": "another"}, "active"),
    ],
)
def test_what_somebody_changed_at_bitbucket_is_mended(owned, actor, sandbox, harm, state):
    webhooks.register(connection=owned, by=actor)
    (hook,) = hooks_of(sandbox)
    before = (hook.active, sorted(hook.events), hook.url, hook.secret)
    sandbox.change.edit_hook(hook.uuid, **harm)
    webhooks.look(connection=owned, by=actor)
    seen = WebhookSubscription.objects.get()

    webhooks.register(connection=owned, by=actor)

    (hook,) = hooks_of(sandbox)
    assert seen.state == state
    assert (hook.active, sorted(hook.events), hook.url, hook.secret) == before
    assert status_of(owned).standing == Standing.ACTIVE


def test_a_webhook_that_is_gone_is_made_again(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)
    sandbox.change.delete_hook(hooks_of(sandbox)[0].uuid)
    webhooks.look(connection=owned, by=actor)
    standing = status_of(owned)

    done = webhooks.register(connection=owned, by=actor)

    assert (standing.standing, standing.hooks[0].missing) == (Standing.BROKEN, standing.events)
    assert (done.created, len(hooks_of(sandbox))) == (["acme"], 1)
    assert WebhookSubscription.objects.get().uuid == hooks_of(sandbox)[0].uuid


def test_one_that_a_person_made_is_taken_over_and_others_are_left_alone(owned, actor, sandbox):
    made = webhooks.register(connection=owned, by=actor)
    WebhookSubscription.objects.all().delete()
    (ours,) = hooks_of(sandbox)
    twin = type(ours)("{twin}", ours.url, "", [], ours.created_at)
    foreign = type(ours)("{foreign}", "https://example.com/", "", [], ours.created_at)
    acme(sandbox).hooks |= {one.uuid: one for one in (twin, foreign)}

    done = webhooks.register(connection=owned, by=actor)

    assert {one.uuid for one in hooks_of(sandbox)} == {ours.uuid, "{foreign}"}
    assert (made.secret != "", done.secret, done.created) == (True, "", [])


def test_a_second_time_changes_nothing_and_shows_no_secret(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)

    done = webhooks.register(connection=owned, by=actor)

    assert (done.secret, done.created, done.mended) == ("", [], [])
    assert len(events()) == 1


def test_rotating_gives_a_new_secret_and_believes_the_old_one_for_a_day(owned, actor, sandbox):
    first = webhooks.register(connection=owned, by=actor).secret

    second = webhooks.register(connection=owned, by=actor, rotate=True).secret

    assert hooks_of(sandbox)[0].secret == second != first
    assert webhook_secrets(owned) == (second, first)
    assert status_of(owned).old_secret_until is not None


def test_removing_deletes_what_is_ours_and_believes_nothing_more(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)

    done = webhooks.remove(connection=owned, by=actor)

    assert (hooks_of(sandbox), webhook_secrets(owned), done.removed) == ([], (), ["acme"])
    assert status_of(owned).standing == Standing.OFF


def test_what_is_removed_while_it_is_made_does_not_stay(owned, actor, sandbox):
    with Hands(owned, actor) as hands:
        made = Settler(owned, hands, make_secret(owned), Done())
        webhooks.remove(connection=owned, by=actor)

        webhooks.settle_all(made, 1, again=True)

    assert (hooks_of(sandbox), made.done.removed) == ([], ["acme"])
    assert status_of(owned).standing == Standing.OFF


def test_what_is_gone_already_counts_as_removed(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)
    sandbox.change.delete_hook(hooks_of(sandbox)[0].uuid)

    done = webhooks.remove(connection=owned, by=actor)

    assert (done.removed, done.left, done.problem) == (["acme"], [], None)


def test_what_cannot_be_removed_is_told_and_tried_again(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)
    sandbox.change.remove_scope(f"API token of {ADA}", "delete:webhook:bitbucket")

    refused = webhooks.remove(connection=owned, by=actor)
    standing = status_of(owned).standing
    sandbox.change.add_scope(f"API token of {ADA}", "delete:webhook:bitbucket")
    done = webhooks.remove(connection=owned, by=actor)

    assert (refused.left, standing) == (["acme"], Standing.REMOVING)
    assert refused.problem is not None
    assert (done.removed, hooks_of(sandbox)) == (["acme"], [])


def test_a_credential_that_lacks_a_scope_is_asked_once(connection, actor, sandbox):
    sandbox.change.remove_scope("acme workspace token", "webhook")
    chosen(connection, sandbox, "api", "web")
    before = sandbox.count("/hooks")

    webhooks.register(connection=connection, by=actor)

    assert sandbox.count("/hooks") == before + 1


def test_deleting_a_connection_removes_its_webhooks(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)

    delete_connection(connection=owned, by=actor)

    assert hooks_of(sandbox) == []
    assert (webhook_secrets(owned), events()[-1]) == ((), {"removed": ["acme"]})
    assert Credential.objects.get(connection=owned).secrets is None


def test_a_removal_that_fails_keeps_no_connection_from_being_deleted(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)
    sandbox.change.revoke(f"API token of {ADA}")

    delete_connection(connection=owned, by=actor)

    owned.refresh_from_db()
    assert owned.deleted_at is not None
    assert len(hooks_of(sandbox)) == 1
    assert events()[-1] == {"left": ["acme"]}


def test_a_refused_deletion_leaves_the_webhooks(owned, actor, sandbox):
    webhooks.register(connection=owned, by=actor)
    ConnectionFactory.create(
        organization=owned.organization, connector="bitbucket_pipelines", parent=owned
    )

    with pytest.raises(ConnectionInUse):
        delete_connection(connection=owned, by=actor)

    assert len(hooks_of(sandbox)) == len(webhook_secrets(owned)) == 1


def test_the_trail_tells_what_was_changed_and_which_secret_was_used(owned, actor, sandbox):
    secret = webhooks.register(connection=owned, by=actor).secret

    assert events("webhooks.registered") == [{"secret": "changed"}]
    assert events() == [{"created": ["acme"]}]
    assert events("credentials.used")[-1] == {"for": "webhooks", "requests": 2}
    assert secret not in str([one.changes for one in AuditEvent.objects.all()])


@pytest.mark.parametrize(
    ("change", "refusal"),
    [({"identity": ""}, NotVerified), ({"connector": "bitbucket_pipelines"}, NoWebhooks)],
)
def test_what_has_no_webhooks_gets_no_secret(owned, actor, change, refusal):
    Connection.objects.filter(pk=owned.pk).update(**change)
    owned.refresh_from_db()

    with pytest.raises(refusal):
        webhooks.register(connection=owned, by=actor)

    assert webhook_secrets(owned) == ()


def test_a_deleted_connection_gets_none(owned, actor, sandbox):
    stale = Connection.objects.get(pk=owned.pk)
    delete_connection(connection=owned, by=actor)

    for change in (webhooks.register, webhooks.remove):
        with pytest.raises(ConnectionDeleted):
            change(connection=stale, by=actor)


def test_a_connection_without_a_credential_that_works_is_told_so(connection, actor, sandbox):
    Credential.objects.filter(connection=connection).delete()

    done = webhooks.register(connection=connection, by=actor)

    assert isinstance(done.problem, InvalidCredentials)
    assert done.secret
