"""Connect links: one connection, once, for seven days, and nothing else."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from connections.connectors.schema import InvalidFields
from connections.models import Connection, ConnectLink, Credential, Draft, Grant, Verification
from connections.services import links, visiting
from connections.services.connections import delete_connection
from connections.services.consent import begin_consent, complete_link_consent
from connections.services.errors import (
    ConsentElsewhere,
    ConsentFailed,
    LinkEnded,
    LinksTooMany,
    TriesTooMany,
)
from connections.services.states import note_failure
from connections.transport.errors import ConsentEnded, InvalidCredentials
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.connections.consenting import consent_at
from tests.connections.services.test_consent import connect
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]
NONCE = "what-the-browser-keeps"


@pytest.fixture
def pending(entered: Organization, sandbox: Sandbox) -> Connection:
    """A connection that a script began."""
    return ConnectionFactory.create(
        organization=entered, name="Made by a script", status="pending", identity=""
    )


@pytest.fixture
def link(pending: Connection, owner: User, actor: Actor) -> ConnectLink:
    return links.make_link(connection=pending, by=actor, user=owner)[0]


def enter(link: ConnectLink, secret: str, **settings: str) -> Verification:
    """Type a token; a worker runs its checks, and what follows."""
    secrets = {"api_token": secret}
    return followed(
        visiting.enter(link=link, method="access_token", settings=settings, secrets=secrets)
    )


def followed(begun: Verification) -> Verification:
    visiting.run_and_follow(begun)
    begun.refresh_from_db()
    return begun


def consent(
    link: ConnectLink, persona: str, *workspaces: str, nonce: str = NONCE
) -> Verification | None:
    address = begin_consent(
        draft=visiting.draft_of_link(link), user=None, session_key=NONCE, return_path="/connect/"
    )
    back = consent_at(address, persona, *workspaces)
    begun = complete_link_consent(state=back["state"], code=back["code"], session_key=nonce)
    return followed(begun) if begun is not None else None


def test_its_token_is_not_kept(pending: Connection, owner: User, actor: Actor) -> None:
    link, token = links.make_link(connection=pending, by=actor, user=owner)

    assert link.expires_at - link.created_at >= timedelta(days=7) - timedelta(seconds=1)
    assert token not in str(ConnectLink.objects.values().get())
    assert token not in str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(event_type="links.created").exists()


def test_a_token_finishes_the_connection_and_spends_the_link(
    link: ConnectLink, secret: str, sandbox: Sandbox
) -> None:
    verification = enter(link, secret)

    assert verification.outcome == "ok"
    assert verification.credential == Credential.objects.get()
    connection = Connection.objects.get()
    assert (connection.status, connection.name) == ("available", "Made by a script")
    assert connection.identity == sandbox.world.workspaces["acme"].uuid
    assert connection.finished_by_name.endswith("(by a connect link)")
    assert not Draft.objects.exists()
    with pytest.raises(LinkEnded):
        enter(link, secret)
    assert Credential.objects.count() == 1
    events = AuditEvent.objects.filter(actor_type="link").values_list("event_type", flat=True)
    assert {"connections.finished", "credentials.created", "links.used"} <= set(events)


def test_a_consent_finishes_it_for_its_workspace_alone(link: ConnectLink) -> None:
    consent(link, "ada", "acme", "globex")

    grant = Grant.objects.get()
    assert [one["slug"] for one in grant.workspaces] == ["acme"]
    assert grant.made_by is None
    link.refresh_from_db()
    assert (link.used_by_name, link.is_open) == ("Ada Admin", False)
    assert Connection.objects.get().finished_by_name == "Ada Admin (by a connect link)"


@pytest.mark.parametrize("persona", ["olga", "ben"])
def test_a_wrong_account_is_told_the_workspace(link: ConnectLink, persona: str) -> None:
    with pytest.raises(ConsentFailed, match="not given for acme"):
        consent(link, persona, "globex")

    link.refresh_from_db()
    assert link.is_open
    assert not Grant.objects.exists()


def test_a_wrong_token_keeps_nothing_and_spends_nothing(
    link: ConnectLink, sandbox: Sandbox
) -> None:
    verification = enter(link, sandbox.tokens.workspace("globex"))

    assert verification.outcome == "workspace_not_found"
    assert not Credential.objects.exists()
    assert Draft.objects.get().secrets is None
    assert Connection.objects.get().status == "pending"
    link.refresh_from_db()
    assert link.is_open


def test_what_only_lacks_a_scope_is_handed_over_without_its_streams(
    link: ConnectLink, sandbox: Sandbox
) -> None:
    sandbox.consumers.by_key["tests"].scopes.remove("pipeline")
    consent(link, "ada")
    draft = Draft.objects.get()
    assert (draft.grant is not None, Connection.objects.get().status) == (True, "pending")

    connection = visiting.go_on_without(link=link, draft=draft, streams=["pipelines"])

    assert connection.status == "available"
    assert "pipelines" not in connection.selection["streams"]
    assert "pull_requests" in connection.selection["streams"]
    link.refresh_from_db()
    assert not link.is_open


def test_what_could_not_be_stored_says_why_and_is_not_kept(
    link: ConnectLink, secret: str, sandbox: Sandbox, entered: Organization
) -> None:
    ConnectionFactory.create(
        organization=entered, name="First", identity=sandbox.world.workspaces["acme"].uuid
    )

    assert enter(link, secret).outcome == "ok"

    draft = Draft.objects.get()
    assert draft.found == {"refused": "This workspace is connected already."}
    assert draft.secrets is None
    link.refresh_from_db()
    assert link.is_open


@pytest.fixture
def unnamed(pending: Connection, link: ConnectLink) -> ConnectLink:
    """A link to a connection of which nobody said what it is to, as AWS's clients make them."""
    pending.settings = {}
    pending.save()
    link.refresh_from_db()
    return link


def test_a_token_tells_the_workspace_that_nobody_named(
    unnamed: ConnectLink, secret: str, sandbox: Sandbox
) -> None:
    assert enter(unnamed, secret).outcome == "ok"

    connection = Connection.objects.get()
    assert connection.identity == sandbox.world.workspaces["acme"].uuid
    assert connection.settings == {"workspace": "acme"}


def test_where_it_cannot_tell_the_workspace_is_asked(
    unnamed: ConnectLink, sandbox: Sandbox
) -> None:
    silent = sandbox.tokens.repository("acme", "api")

    with pytest.raises(InvalidFields) as refused:
        enter(unnamed, silent)
    assert set(refused.value.fields) == {"settings.workspace"}

    assert enter(unnamed, silent, workspace="acme", repository="api").outcome == "ok"
    assert Connection.objects.get().settings == {"workspace": "acme"}


def test_who_reaches_several_workspaces_chooses_one_and_ticks_it_by_that(
    unnamed: ConnectLink,
) -> None:
    assert consent(unnamed, "ada", "acme", "globex") is None
    draft = Draft.objects.get()
    assert draft.grant is not None
    assert draft.grant.workspaces == []
    with pytest.raises(InvalidFields):
        visiting.choose_place(link=unnamed, draft=draft, workspace="initech")

    followed(visiting.choose_place(link=unnamed, draft=draft, workspace="globex"))

    connection = Connection.objects.get()
    assert (connection.status, connection.settings) == ("available", {"workspace": "globex"})
    assert [one["slug"] for one in Grant.objects.get().workspaces] == ["globex"]
    assert AuditEvent.objects.get(event_type="grants.ticked").actor_type == "link"


@pytest.mark.parametrize("why", ["expired", "revoked", "deleted", "finished"])
def test_a_link_that_ended_lets_nobody_in(
    why: str, link: ConnectLink, secret: str, actor: Actor, pending: Connection
) -> None:
    if why == "expired":
        ConnectLink.objects.update(expires_at=now())
    elif why == "revoked":
        links.revoke_link(link=link, by=actor)
    elif why == "deleted":
        Connection.objects.update(deleted_at=now())
    else:
        Connection.objects.update(finished_at=now(), finished_by_name="Ada", identity="{1}")
    link.refresh_from_db()

    said = links.why_closed(link)

    assert said
    assert ("Ada has finished" in said) is (why == "finished")
    if why != "finished":
        with pytest.raises(LinkEnded):
            enter(link, secret)
        assert not Credential.objects.exists()


def test_a_link_ends_with_its_connection_even_if_that_is_restored(
    link: ConnectLink, pending: Connection, actor: Actor
) -> None:
    delete_connection(connection=pending, by=actor)
    Connection.objects.update(deleted_at=None)
    link.refresh_from_db()

    assert links.why_closed(link) == "This link was withdrawn."


def test_a_link_is_revoked_once(link: ConnectLink, actor: Actor) -> None:
    links.revoke_link(link=link, by=actor)

    with pytest.raises(LinkEnded):
        links.revoke_link(link=link, by=actor)


def test_another_browser_gets_nothing(link: ConnectLink) -> None:
    with pytest.raises(ConsentElsewhere):
        consent(link, "ada", nonce="of another browser")

    assert not Grant.objects.exists()


def test_it_renews_an_authorization_in_place(
    draft: Draft, owner: User, actor: Actor, sandbox: Sandbox
) -> None:
    connection = connect(draft, owner, actor)
    credential = Credential.objects.get()
    sandbox.change.revoke_grants("ada")
    note_failure(connection, ConsentEnded("Over."), credential=credential)
    link, _ = links.make_link(connection=connection, by=actor, user=owner)

    consent(link, "ada")

    connection.refresh_from_db()
    assert (connection.status, connection.status_code) == ("available", "")
    assert Credential.objects.get().pk == credential.pk


def test_it_renews_a_token_in_place(
    connection: Connection, credential: Credential, secret: str, actor: Actor, sandbox: Sandbox
) -> None:
    sandbox.change.revoke(secret)
    note_failure(connection, InvalidCredentials("Refused."), credential=credential)
    link, _ = links.make_link(connection=connection, by=actor)

    enter(link, sandbox.tokens.workspace("acme"))

    renewed = Credential.objects.get()
    assert (renewed.pk, renewed.status) == (credential.pk, "active")
    connection.refresh_from_db()
    assert connection.status == "available"


def test_a_token_that_works_gets_company(
    connection: Connection, actor: Actor, sandbox: Sandbox
) -> None:
    link, _ = links.make_link(connection=connection, by=actor)

    enter(link, sandbox.tokens.workspace("acme"))

    assert Credential.objects.count() == 2


def test_links_and_tries_are_limited(link: ConnectLink, pending: Connection, actor: Actor) -> None:
    for _ in range(visiting.TRIES):
        visiting.count_try(link)
    with pytest.raises(TriesTooMany):
        visiting.count_try(link)

    ConnectLink.objects.bulk_create(
        ConnectLink(
            connection=pending,
            organization_id=pending.organization_id,
            token_hash=str(number),
            expires_at=now(),
        )
        for number in range(links.AN_HOUR)
    )
    with pytest.raises(LinksTooMany):
        links.make_link(connection=pending, by=actor)


def test_asking_an_administrator_begins_one_connection(
    entered: Organization, owner: User, actor: Actor
) -> None:
    ConnectionFactory.create(organization=entered, name="globex", settings={"workspace": "old"})

    asked = [
        links.ask_administrator(
            organization=entered,
            connector="bitbucket_cloud",
            workspace="globex",
            by=actor,
            user=owner,
        )[0]
        for _ in range(2)
    ]

    made = Connection.objects.get(status="pending")
    assert (made.name, made.settings) == ("globex 2", {"workspace": "globex"})
    assert {link.connection_id for link in asked} == {made.pk}
