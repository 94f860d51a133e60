"""Uses of secrets that are not kept, or not yet: each stands in the audit trail."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential, Draft, Grant
from connections.services import pasting, rotation
from connections.services.changing import update_credential
from connections.services.consumers import set_consumer
from connections.services.creating import create_connection
from connections.services.credentials import create_credential
from connections.services.drafts import choose_workspace, fill_draft, start_draft
from connections.services.entering import NewCredential
from connections.services.errors import Refused, VerificationFailed
from connections.services.grants import access_token
from connections.services.links import make_link
from connections.services.verification import (
    begin_credential_verification,
    begin_draft_verification,
    run_verification,
    verify_draft,
)
from connections.services.visiting import enter, run_and_follow
from connections.transport.errors import ConsentEnded
from ingestion.estimates import estimate_draft
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.connections.conftest import CALLBACK
from tests.connections.consenting import consent_at
from tests.connections.services.test_consent import authorize, begin, complete
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker(actor: Actor) -> Actor:
    """The owner, as a request tells of them."""
    return Actor(
        type="user",
        id=actor.id,
        name=actor.name,
        ip_address="203.0.113.7",
        user_agent="Firefox",
        request_id="r-1",
    )


def uses_of(sandbox: Sandbox, act: Callable[[], Any]) -> list[dict[str, Any]]:
    """The uses that this noted. Together they count what Bitbucket was asked."""
    last, before = AuditEvent.objects.order_by("-pk").first(), _asked(sandbox)
    with suppress(Refused, VerificationFailed):
        act()
    events = AuditEvent.objects.filter(pk__gt=last.pk if last else 0).order_by("pk")
    found = [event for event in events if "requests" in event.changes]
    assert sum(event.changes["requests"] for event in found) == _asked(sandbox) - before
    return [
        {
            "type": event.event_type,
            "for": event.changes.get("for"),
            "outcome": event.changes.get("outcome"),
            "from": (event.actor_id, event.ip_address, event.user_agent, event.request_id),
            "name": event.target["name"],
        }
        for event in found
    ]


def from_of(by: Actor) -> tuple[Any, ...]:
    return (by.id, by.ip_address, by.user_agent, by.request_id)


def test_checks_of_a_draft_name_who_asked_for_them(
    draft: Draft, asker: Actor, sandbox: Sandbox, secret: str
) -> None:
    fill_draft(
        draft=draft,
        method="access_token",
        settings={"workspace": "acme"},
        secrets={"api_token": secret},
        actor=asker,
    )

    def run_by_a_worker() -> None:
        run_verification(begin_draft_verification(draft=draft, by=asker, send=False))

    (use,) = uses_of(sandbox, run_by_a_worker)

    assert use == {
        "type": "secrets.tried",
        "for": "verification",
        "outcome": None,
        "from": from_of(asker),
        "name": "acme",
    }
    event = AuditEvent.objects.get(event_type="secrets.tried")
    assert event.changes["method"] == "access_token"
    assert event.changes["connector"] == "bitbucket_cloud"
    assert secret not in str([event.target, event.changes])


def test_estimates_of_a_draft_are_noted_once(
    draft: Draft, asker: Actor, sandbox: Sandbox, secret: str
) -> None:
    values = {"settings": {"workspace": "acme"}, "secrets": {"api_token": secret}}
    fill_draft(draft=draft, method="access_token", actor=asker, **values)
    verify_draft(begin_draft_verification(draft=draft, send=False))
    draft.refresh_from_db()

    def estimate() -> None:
        estimate_draft(draft=draft, selection={}, schedule={"kind": "off"}, by=asker)

    assert [use["for"] for use in uses_of(sandbox, estimate)] == ["estimate"]
    assert uses_of(sandbox, estimate) == []


def test_a_pasted_secret_is_noted(entered: Organization, asker: Actor, sandbox: Sandbox) -> None:
    kind = connector("bitbucket_cloud")
    tried_for = (entered.pk, kind.key, "")

    def paste() -> None:
        pasting.identify(kind, "ATCTTmade-up", {}, tried_for=tried_for, by=asker)

    (use,) = uses_of(sandbox, paste)

    assert (use["type"], use["for"], use["outcome"]) == ("secrets.tried", "recognition", "refused")
    assert (use["name"], use["from"]) == (kind.label, from_of(asker))


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_not_created_is_noted_all_the_same(
    entered: Organization, asker: Actor, sandbox: Sandbox, secret: str, *, dry_run: bool
) -> None:
    given = secret if dry_run else "ATCTTmade-up"

    def create() -> None:
        create_connection(
            organization=entered,
            connector="bitbucket_cloud",
            name="Engineering",
            settings={"workspace": "acme"},
            credential=NewCredential(secrets={"api_token": given}, method="access_token"),
            by=asker,
            dry_run=dry_run,
        )

    (use,) = uses_of(sandbox, create)

    assert (use["type"], use["name"]) == ("secrets.tried", "Engineering")
    assert use["outcome"] == (None if dry_run else "invalid_credentials")
    assert not Connection.objects.exists()


def test_what_is_connected_already_is_noted(
    connection: Connection, asker: Actor, sandbox: Sandbox, secret: str
) -> None:
    def create_again() -> None:
        create_connection(
            organization=connection.organization,
            connector="bitbucket_cloud",
            name="Another",
            settings={"workspace": "acme"},
            credential=NewCredential(secrets={"api_token": secret}),
            by=asker,
        )

    assert [use["type"] for use in uses_of(sandbox, create_again)] == ["secrets.tried"]


def test_credentials_that_are_refused_or_tried_only(
    credential: Credential, asker: Actor, sandbox: Sandbox, secret: str
) -> None:
    wrong, connection = {"api_token": "ATCTTmade-up"}, credential.connection

    def types(act: Callable[[], Any]) -> list[tuple[str, str]]:
        return [(use["type"], use["name"]) for use in uses_of(sandbox, act)]

    def create(secrets: dict[str, str], **more: Any) -> Callable[[], Any]:
        return lambda: create_credential(connection=connection, secrets=secrets, by=asker, **more)

    def update(**values: Any) -> Callable[[], Any]:
        return lambda: update_credential(credential=credential, by=asker, **values)

    new, stored = [("secrets.tried", "Engineering")], [("credentials.used", str(credential))]
    assert types(create(wrong)) == new
    assert types(create({"api_token": secret}, dry_run=True)) == new
    replaced = [("secrets.tried", str(credential))]
    assert types(update(secrets=wrong)) == replaced
    compared = [*stored, *replaced]  # the old secret says what it sees
    assert types(update(secrets={"api_token": secret}, dry_run=True)) == compared
    assert types(update(label="Other", dry_run=True)) == stored


def test_a_rotation_notes_both_secrets(
    credential: Credential, owner: User, asker: Actor, sandbox: Sandbox
) -> None:
    def begin() -> None:
        rotation.begin_rotation(
            credential=credential,
            settings={},
            secrets={"api_token": sandbox.tokens.workspace("acme", label="new")},
            by=owner,
            actor=asker,
        )

    noted = uses_of(sandbox, begin)

    assert [(use["type"], use["for"]) for use in noted] == [
        ("secrets.tried", "verification"),
        ("credentials.used", "comparison"),
    ]
    assert {use["from"] for use in noted} == {from_of(asker)}


def test_checks_in_the_background_name_who_asked(
    credential: Credential, asker: Actor, sandbox: Sandbox
) -> None:
    row = begin_credential_verification(credential=credential, by=asker)

    (use,) = uses_of(sandbox, lambda: run_verification(row))

    assert (use["type"], use["from"]) == ("credentials.used", from_of(asker))


def test_the_holder_of_a_link_is_noted_with_their_address(
    entered: Organization, actor: Actor, sandbox: Sandbox
) -> None:
    pending = ConnectionFactory.create(
        organization=entered, status="pending", settings={"workspace": "acme"}
    )
    link, _ = make_link(connection=pending, by=actor)
    visitor = Actor(type="link", ip_address="198.51.100.4", user_agent="Safari", request_id="r-2")

    def type_a_wrong_one() -> None:
        secrets = {"api_token": "ATCTTmade-up"}
        given = {"method": "access_token", "settings": {}, "secrets": secrets}
        run_and_follow(enter(link=link, by=visitor, **given))

    (use,) = uses_of(sandbox, type_a_wrong_one)

    assert use["from"] == (link.pk, "198.51.100.4", "Safari", "r-2")
    assert use["outcome"] == "invalid_credentials"


@pytest.mark.usefixtures("consumer")
def test_authorizations_count_their_requests(
    draft: Draft, owner: User, actor: Actor, sandbox: Sandbox
) -> None:
    def consent() -> None:
        authorize(draft, owner, actor, "acme", "globex")

    def renew_in_the_background() -> None:
        Grant.objects.update(expires_at=now() + timedelta(minutes=1))
        access_token(Grant.objects.get())

    def check_a_draft() -> None:
        draft.refresh_from_db()
        choose_workspace(draft=draft, workspace="acme", actor=actor)
        verify_draft(begin_draft_verification(draft=draft, send=False))

    assert _types(uses_of(sandbox, consent)) == ["grants.created"]
    assert _types(uses_of(sandbox, renew_in_the_background)) == ["grants.refreshed"]
    assert _types(uses_of(sandbox, check_a_draft)) == ["grants.used"]


@pytest.mark.usefixtures("consumer")
@pytest.mark.parametrize("step", ["/access_token", "/user/workspaces", ""])
def test_an_authorization_that_is_not_kept_is_noted(
    step: str, entered: Organization, owner: User, asker: Actor, sandbox: Sandbox
) -> None:
    """Trouble at the token endpoint or behind it, or an authorization for another workspace."""
    pending = ConnectionFactory.create(organization=entered, status="pending", identity="")
    draft = start_draft(
        organization=entered, connector="bitbucket_cloud", by=owner, actor=asker, connection=pending
    )
    back = consent_at(begin(draft, owner), "ada", "globex")
    if step:
        sandbox.faults.add(step, status=500)

    (use,) = uses_of(sandbox, lambda: complete(back, owner))

    assert (use["type"], use["for"], use["from"][0]) == ("secrets.tried", "consent", owner.pk)
    assert use["outcome"] == ("unreachable" if step else "workspace_not_found")
    assert not Grant.objects.exists()


@pytest.mark.usefixtures("consumer")
@pytest.mark.parametrize("secret", ["right", "wrong"])
def test_the_proof_of_a_consumer_is_noted(
    secret: str, entered: Organization, asker: Actor, sandbox: Sandbox
) -> None:
    sandbox.consumers.add("our-own", "right", CALLBACK, ["account"])

    def prove() -> None:
        with suppress(InvalidFields):
            set_consumer(
                organization=entered,
                connector="bitbucket_cloud",
                client_id="our-own",
                client_secret=secret,
                by=asker,
            )

    (use,) = uses_of(sandbox, prove)

    assert (use["name"], use["from"]) == ("our-own", from_of(asker))
    kept = ("consumers.set", None, None)
    refused = ("secrets.tried", "consumer", "invalid_credentials")
    assert (use["type"], use["for"], use["outcome"]) == (kept if secret == "right" else refused)


@pytest.mark.usefixtures("consumer")
def test_an_end_at_bitbucket_is_noted_once(
    draft: Draft, owner: User, actor: Actor, sandbox: Sandbox
) -> None:
    grant = authorize(draft, owner, actor, "acme")
    Grant.objects.update(expires_at=now(), secrets=None)
    grant.refresh_from_db()
    grant.secrets = {"access_token": "gone", "refresh_token": "gone"}
    grant.save()

    for _ in range(2):
        with pytest.raises(ConsentEnded):
            access_token(grant)

    (event,) = AuditEvent.objects.filter(event_type="grants.ended")
    assert event.actor_type == "system"
    assert event.changes["requests"] == 1


def _types(noted: list[dict[str, Any]]) -> list[str]:
    return [use["type"] for use in noted]


def _asked(sandbox: Sandbox) -> int:
    """Requests of ours; those of a browser at the consent page left out."""
    return sum("/authorize" not in one.path for one in sandbox.requests)
