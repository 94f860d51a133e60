"""Each service that changes something for somebody writes an event, in the transaction of it.

The services are found, not listed: whatever takes an Actor. A new one fails here until it is named.
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from connections.models import Connection, Credential, Grant, OAuthConsumer
from connections.services import (
    connections,
    consumers,
    creating,
    credentials,
    granting,
    links,
    verification,
    webhooks,
)
from connections.services.changing import update_credential
from connections.services.credentials import create_credential
from connections.services.tagging import retag_connection
from ingestion.models import Coverage, Sync
from ingestion.services import comparing, deliveries, gone, repositories, retries, syncs
from tenants import access
from tenants.actor import Actor
from tenants.models import AuditEvent
from tenants.roles import Role
from tenants.services import access_keys, api_keys, invitations, members, organizations
from tests.factories import CoverageFactory, UserFactory, WebhookSubscriptionFactory
from tests.sandbox import Sandbox
from tests.sandbox.sandbox import CONSUMER
from tests.worlds import make_world

pytestmark = pytest.mark.django_db


def _sync(scene: Any) -> Sync:
    made = syncs.start_sync(connection=scene.connection, trigger="person", by=Actor.system())
    Sync.objects.filter(pk=made.pk).update(uses={str(scene.credential.pk): 7})
    return made


def _failed(scene: Any) -> Sync:
    Sync.objects.filter(pk=scene.sync.pk).update(state="failed")
    return Sync.objects.get(pk=scene.sync.pk)


def _fetch_missing(scene: Any) -> None:
    told = {"theirs": 2, "ours": 1}
    whole = {"connection": scene.connection, "repository": None, "stream": "repositories"}
    CoverageFactory.create(**whole, comparison=told)
    comparing.fetch_missing(connection=scene.connection, trigger="person", by=scene.by)


def _confirm_gone(scene: Any) -> None:
    walk = {"confirmed": False, "missing": ["{1}"]}
    Coverage.objects.update(gap={"code": "many_gone"}, checkpoint={"walk": walk})
    gone.confirm_gone(connection=scene.connection, by=scene.by)


def _disabled(scene: Any) -> Connection:
    connections.disable_connection(connection=scene.connection, by=Actor.system())
    return scene.connection


def _hooked(scene: Any) -> Connection:
    WebhookSubscriptionFactory.create(connection=scene.connection)
    return scene.connection


def _off(scene: Any) -> Credential:
    credentials.disable_credential(credential=scene.credential, by=Actor.system())
    return scene.credential


def _own_consumer(scene: Any) -> OAuthConsumer:
    own: OAuthConsumer = OAuthConsumer.objects.create(
        organization=scene.organization,
        connector="bitbucket_cloud",
        client_id="own",
        secrets={"client_secret": "hush"},
    )
    return own


def _reaching(grant: Grant) -> Grant:
    grant.reaches = [*grant.reaches, {"id": "{2}", "slug": "another", "is_administrator": False}]
    grant.save()
    return grant


# Service: how it is called, and the events of it alone.
SERVICES: dict[str, tuple[Callable[[Any], object], set[str]]] = {
    "tenants.api_keys.make_api_key": (
        lambda s: api_keys.make_api_key(
            organization=s.organization, name="CI", scopes=["syncs:read"], role="viewer", by=s.by
        ),
        {"api_keys.created"},
    ),
    "tenants.api_keys.revoke_api_key": (
        lambda s: api_keys.revoke_api_key(key=s.api_key, by=s.by),
        {"api_keys.revoked"},
    ),
    "tenants.access_keys.make_access_key": (
        lambda s: access_keys.make_access_key(
            organization=s.organization, name="CI", scopes=["syncs:read"], role="viewer", by=s.by
        ),
        {"access_keys.created"},
    ),
    "tenants.access_keys.revoke_access_key": (
        lambda s: access_keys.revoke_access_key(key=s.access_key, by=s.by),
        {"access_keys.revoked"},
    ),
    "tenants.invitations.invite": (
        lambda s: invitations.invite(organization=s.organization, role=Role.VIEWER, by=s.by),
        {"invitations.created"},
    ),
    "tenants.invitations.revoke": (
        lambda s: invitations.revoke(invitation=s.invitation, by=s.by),
        {"invitations.revoked"},
    ),
    "tenants.invitations.accept": (
        lambda s: invitations.accept(invitation=s.invitation, user=UserFactory.create(), by=s.by),
        {"members.joined"},
    ),
    "tenants.members.change_role": (
        lambda s: members.change_role(membership=s.viewer, role=Role.ADMIN, by=s.by),
        {"members.role_changed"},
    ),
    "tenants.members.remove_member": (
        lambda s: members.remove_member(membership=s.viewer, by=s.by),
        {"members.removed"},
    ),
    "tenants.organizations.create_organization": (
        lambda s: organizations.create_organization(name="New", by=s.by),
        {"organizations.created"},
    ),
    "tenants.organizations.update_organization": (
        lambda s: organizations.update_organization(
            organization=s.organization, name="Renamed", timezone="UTC", by=s.by
        ),
        {"organizations.updated"},
    ),
    "connections.creating.create_connection": (
        lambda s: creating.create_connection(
            organization=s.organization,
            connector="bitbucket_cloud",
            name="Another",
            settings={"workspace": "solo"},
            by=s.by,
        ),
        {"connections.created"},
    ),
    "connections.connections.update_connection": (
        lambda s: connections.update_connection(connection=s.connection, name="Renamed", by=s.by),
        {"connections.updated"},
    ),
    "connections.connections.disable_connection": (
        lambda s: connections.disable_connection(connection=s.connection, by=s.by),
        {"connections.disabled"},
    ),
    "connections.connections.enable_connection": (
        lambda s: connections.enable_connection(connection=_disabled(s), by=s.by),
        {"connections.enabled"},
    ),
    "connections.connections.delete_connection": (
        lambda s: connections.delete_connection(connection=s.connection, by=s.by),
        {"connections.deleted"},
    ),
    "connections.credentials.create_credential": (
        lambda s: create_credential(
            connection=s.connection, secrets={"api_token": s.secret}, by=s.by
        ),
        {"credentials.created", "credentials.used"},
    ),
    "connections.changing.update_credential": (
        lambda s: update_credential(
            credential=s.credential, secrets={"api_token": s.secret}, label="New", by=s.by
        ),
        {"credentials.updated", "credentials.used"},
    ),
    "connections.credentials.delete_credential": (
        lambda s: credentials.delete_credential(credential=s.credential, by=s.by),
        {"credentials.deleted"},
    ),
    "connections.credentials.disable_credential": (
        lambda s: credentials.disable_credential(credential=s.credential, by=s.by),
        {"credentials.disabled"},
    ),
    "connections.credentials.enable_credential": (
        lambda s: credentials.enable_credential(credential=_off(s), by=s.by),
        {"credentials.enabled"},
    ),
    "connections.tagging.retag_connection": (
        lambda s: retag_connection(connection=s.connection, add={"env": "prod"}, by=s.by),
        {"connections.updated"},
    ),
    "connections.verification.begin_credential_verification": (
        lambda s: verification.begin_credential_verification(credential=s.credential, by=s.by),
        {"credentials.verification_asked"},
    ),
    "connections.verification.verify_credential": (
        lambda s: verification.verify_credential(credential=s.credential, by=s.by),
        {"credentials.used"},
    ),
    "connections.consumers.set_consumer": (
        lambda s: consumers.set_consumer(
            organization=s.organization,
            connector="bitbucket_cloud",
            client_id=CONSUMER[0],
            client_secret=CONSUMER[1],
            by=s.by,
        ),
        {"consumers.set"},
    ),
    "connections.consumers.remove_consumer": (
        lambda s: consumers.remove_consumer(consumer=_own_consumer(s), by=s.by),
        {"consumers.removed"},
    ),
    "connections.granting.tick": (
        lambda s: granting.tick(
            grant=_reaching(s.grant), workspaces=["another"], user=s.owner.user, by=s.by
        ),
        {"grants.ticked"},
    ),
    "connections.granting.revoke_grant": (
        lambda s: granting.revoke_grant(grant=s.grant, by=s.by),
        {"grants.revoked"},
    ),
    "connections.links.make_link": (
        lambda s: links.make_link(connection=s.connection, by=s.by),
        {"links.created"},
    ),
    "connections.links.revoke_link": (
        lambda s: links.revoke_link(link=s.link, by=s.by),
        {"links.revoked"},
    ),
    "connections.links.ask_administrator": (
        lambda s: links.ask_administrator(
            organization=s.organization,
            connector="bitbucket_cloud",
            workspace="another",
            by=s.by,
            user=s.owner.user,
        ),
        {"connections.created", "links.created"},
    ),
    "connections.webhooks.register": (
        lambda s: webhooks.register(connection=s.connection, by=s.by),
        {"webhooks.registered", "webhooks.changed", "credentials.used"},
    ),
    "connections.webhooks.remove": (
        lambda s: webhooks.remove(connection=s.connection, by=s.by),
        {"webhooks.removed"},
    ),
    "connections.webhooks.look": (
        lambda s: webhooks.look(connection=_hooked(s), by=s.by),
        {"credentials.used"},
    ),
    "ingestion.comparing.compare": (
        lambda s: comparing.compare(connection=s.connection, trigger="person", by=s.by),
        {"syncs.started"},
    ),
    "ingestion.comparing.fetch_missing": (_fetch_missing, {"syncs.started"}),
    "ingestion.deliveries.replay": (
        lambda s: deliveries.replay(delivery=s.delivery, by=s.by),
        {"deliveries.replayed"},
    ),
    "ingestion.gone.confirm_gone": (_confirm_gone, {"connections.gone_confirmed"}),
    "ingestion.repositories.select_repositories": (
        lambda s: repositories.select_repositories(
            connection=s.connection, ids=[s.repository.pk], selected=False, by=s.by
        ),
        {"connections.updated"},
    ),
    "ingestion.repositories.select_all": (
        lambda s: repositories.select_all(connection=_choosy(s), by=s.by),
        {"connections.updated"},
    ),
    "ingestion.repositories.select_by_patterns": (
        lambda s: repositories.select_by_patterns(
            connection=s.connection, repositories={"mode": "patterns", "include": ["a*"]}, by=s.by
        ),
        {"connections.updated"},
    ),
    "ingestion.repositories.restore_choice": (
        lambda s: repositories.restore_choice(
            connection=s.connection, repositories={"mode": "chosen", "ids": []}, by=s.by
        ),
        {"connections.updated"},
    ),
    "ingestion.retries.retry_sync": (
        lambda s: retries.retry_sync(sync=_failed(s), trigger="person", by=s.by),
        {"syncs.started"},
    ),
    "ingestion.syncs.start_sync": (
        lambda s: syncs.start_sync(connection=s.connection, trigger="person", by=s.by),
        {"syncs.started"},
    ),
    "ingestion.syncs.cancel_sync": (
        lambda s: syncs.cancel_sync(sync=_sync(s), by=s.by),
        {"syncs.cancelled", "credentials.used"},
    ),
}
NO_SERVICES = {
    # They write the trail, or are parts of services above.
    "tenants.audit.record",
    "connections.trail.note",
    "connections.trail.note_use",
    "connections.trail.note_verification",
    "connections.trail.note_grant",
    "connections.trail.note_draft_use",
    "connections.trail.note_tried",
    "connections.trail.note_tried_at",
    "connections.settling.note_done",
    "connections.webhooks.remove_with",  # a part of delete_connection
    "connections.proving.tried",
    "connections.proving.keep_proof",
    "connections.proving.finish_pending",
    "connections.rows.become_available",
    "connections.parents.take_over",  # see tests/connections/services/test_parents.py
    "connections.parents.give_back",
    "connections.granting.keep_grant",  # see tests/connections/services/test_consent.py
    "connections.granting.tick_for_link",  # see tests/connections/services/test_links.py
    "ingestion.syncs.queue_sync",
    "tenants.key_rules.check_role",
    "tenants.key_rules.reaches",
}
TESTED_WITH_THEIR_DRAFTS = {  # what they need is begun by hand: see the tests of their names
    "connections.rotation.take_over",
    "connections.restoring.join_connection",
}
USES = {  # of secrets that are not kept, or not yet: see tests/connections/services/test_trail.py
    "connections.consent.complete_consent",
    "connections.consent.complete_link_consent",
    "connections.comparing.seen_before",
    "connections.pasting.complete",
    "connections.pasting.complete_places",
    "connections.pasting.identify",
    "connections.rotation.begin_rotation",
    "connections.verification.begin_draft_verification",
    "connections.visiting.begin",
    "connections.visiting.choose_place",
    "connections.visiting.enter",
    "connections.visiting.go_on_without",
    "connections.visiting.spend",
}
IN_THE_WIZARD = {  # nothing that they change exists for anybody but its author
    "connections.consent.begin_consent",
    "connections.drafts.start_draft",
    "connections.drafts.fill_draft",
    "connections.drafts.use_grant",
    "connections.drafts.choose_workspace",
    "connections.drafts.discard_draft",
    "connections.finishing.finish_draft",  # see tests/connections/services/test_drafts.py
}


def _choosy(scene: Any) -> Connection:
    repositories.restore_choice(
        connection=scene.connection,
        repositories={"mode": "chosen", "ids": []},
        by=Actor.system("before"),
    )
    return scene.connection


@pytest.fixture
def scene(sandbox: Sandbox) -> Iterator[Any]:
    world: Any = make_world("acme")
    workspace = sandbox.world.workspaces["acme"].uuid
    Connection.objects.filter(pk=world.connection.pk).update(identity=workspace)
    secret = sandbox.tokens.workspace("acme")
    world.credential.secrets = {"api_token": secret}
    world.credential.save()
    world.connection.refresh_from_db()
    values = {**vars(world), "secret": secret, "by": Actor.for_user(world.user)}
    with access.enter(world.organization):
        yield type("Scene", (), values)


def test_every_service_is_named_here() -> None:
    assert set(_services()) == {
        *SERVICES,
        *NO_SERVICES,
        *TESTED_WITH_THEIR_DRAFTS,
        *USES,
        *IN_THE_WIZARD,
    }


@pytest.mark.parametrize("name", SERVICES)
def test_it_writes_an_event(name: str, scene: Any) -> None:
    call, expected = SERVICES[name]
    mine = AuditEvent.objects.filter(actor_id=scene.by.id)
    uses = AuditEvent.objects.filter(event_type="credentials.used")
    before = {*mine.values_list("pk", flat=True), *uses.values_list("pk", flat=True)}

    call(scene)

    events = [*(mine | uses).exclude(pk__in=before)]
    assert {event.event_type for event in events} == expected
    assert scene.secret not in str([(event.target, event.changes) for event in events])
    assert all(event.target["id"] and event.target["name"] for event in events)


def _services() -> Iterator[str]:
    """Public functions of services that act for somebody, by app and module."""
    for app in ("tenants", "connections", "ingestion"):
        package = import_module(f"{app}.services")
        for found in pkgutil.iter_modules(package.__path__):
            module = import_module(f"{app}.services.{found.name}")
            for name, function in vars(module).items():
                if inspect.isfunction(function) and not name.startswith("_"):
                    inner = inspect.unwrap(function)
                    if inner.__module__ == module.__name__ and _acts(inner):
                        yield f"{app}.{found.name}.{name}"


def _acts(function: Callable[..., Any]) -> bool:
    kinds = inspect.get_annotations(function, eval_str=True)
    return any(kinds.get(name) in (Actor, Actor | None) for name in ("by", "actor"))
