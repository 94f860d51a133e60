"""One round trip to the consent page: once, in the same session, by somebody who may."""

from contextlib import nullcontext
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.connectors import connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Consent, Credential, Draft, Grant
from connections.services.connections import update_connection
from connections.services.consent import begin_consent, complete_consent
from connections.services.drafts import (
    choose_workspace,
    fill_draft,
    finish_draft,
    start_draft,
    use_grant,
)
from connections.services.entries import entry_for
from connections.services.errors import (
    ConsentElsewhere,
    ConsentExpired,
    ConsentFailed,
    ConsentNotAllowed,
    ConsentRefused,
    ConsentUnknown,
    ConsentUsed,
    NoConsumer,
    UnknownMethodGiven,
)
from connections.services.granting import tick
from connections.services.states import note_failure
from connections.services.verification import begin_draft_verification, verify_draft
from connections.transport.errors import ConsentEnded
from connections.transport.ledger import Purpose
from tenants.actor import Actor
from tenants.models import AuditEvent, Membership, Organization, User
from tests.connections.consenting import consent_at
from tests.factories import ConnectionFactory, UserFactory
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]
SESSION = "the-browser-session"


def begin(draft: Draft, user: User) -> str:
    return begin_consent(draft=draft, user=user, session_key=SESSION, return_path="/o/acme/x/")


def complete(back: dict[str, str], user: User, session: str = SESSION) -> Consent:
    return complete_consent(
        state=back["state"],
        code=back.get("code", ""),
        error=back.get("error", ""),
        session_key=session,
        user=user,
    )


def renewal(connection: Connection, user: User) -> str:
    return begin_consent(
        connection=connection, user=user, session_key=SESSION, return_path="/o/acme/c/"
    )


def authorize(
    draft: Draft, owner: User, actor: Actor, *workspaces: str, persona: str = "ada"
) -> Grant:
    """Consent for these workspaces, and tick them."""
    complete(consent_at(begin(draft, owner), persona, *workspaces), owner)
    draft.refresh_from_db()
    assert draft.grant is not None
    return tick(grant=draft.grant, workspaces=workspaces or ("acme",), user=owner, by=actor)


def connect(draft: Draft, owner: User, actor: Actor, *workspaces: str) -> Connection:
    authorize(draft, owner, actor, *workspaces)
    draft.refresh_from_db()
    choose_workspace(draft=draft, workspace="acme", actor=actor)
    verify_draft(begin_draft_verification(draft=draft, send=False))
    return finish_draft(draft=draft, actor=actor)


def test_a_consent_becomes_a_connection_that_is_renewed_by_itself(
    draft: Draft, owner: User, actor: Actor, sandbox: Sandbox
) -> None:
    connection = connect(draft, owner, actor)

    credential = Credential.objects.get(connection=connection)
    assert connection.identity == sandbox.world.workspaces["acme"].uuid
    assert credential.method == "oauth2"
    assert credential.secrets is None
    assert credential.acts_as == "Ada Admin"
    assert credential.label == "Bitbucket authorization of Ada Admin"
    Grant.objects.update(expires_at=now())
    credential = Credential.objects.get()
    entry = entry_for(credential, purpose=Purpose.SCHEDULE)
    with connector("bitbucket_cloud").client(entry) as client:
        assert client.workspace().json["slug"] == "acme"
    assert sandbox.consumers.refreshes == 1


def test_the_answer_goes_on_to_the_path_of_the_row(draft: Draft, owner: User) -> None:
    address = begin_consent(
        draft=draft, user=owner, session_key=SESSION, return_path="/o/acme/{draft}/"
    )

    consent = complete(consent_at(address, "ada"), owner)

    assert consent.return_path == f"/o/acme/{draft.public_id}/"
    assert AuditEvent.objects.filter(event_type="grants.created").exists()


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil", ""]
)
def test_the_way_back_stays_here(path: str, draft: Draft, owner: User) -> None:
    with pytest.raises(ConsentFailed):
        begin_consent(draft=draft, user=owner, session_key=SESSION, return_path=path)


def test_state_and_session_are_not_stored_as_they_are(draft: Draft, owner: User) -> None:
    state = parse_qs(urlsplit(begin(draft, owner)).query)["state"][0]

    row = str(Consent.objects.values().get())
    assert state not in row
    assert SESSION not in row


def test_an_answer_is_taken_once(draft: Draft, owner: User) -> None:
    back = consent_at(begin(draft, owner), "ada")
    complete(back, owner)

    with pytest.raises(ConsentUsed):
        complete(back, owner)

    assert Grant.objects.count() == 1


def test_an_unknown_state(owner: User) -> None:
    with pytest.raises(ConsentUnknown):
        complete({"state": "made-up", "code": "x"}, owner)


def test_another_browser_or_person_gets_nothing_and_spends_nothing(
    draft: Draft, owner: User
) -> None:
    back = consent_at(begin(draft, owner), "ada")

    with pytest.raises(ConsentElsewhere):
        complete(back, owner, "another-session")
    with pytest.raises(ConsentElsewhere):
        complete(back, UserFactory.create())

    assert complete(back, owner).draft == draft


def test_the_role_is_checked_again(draft: Draft, owner: User) -> None:
    back = consent_at(begin(draft, owner), "ada")
    Membership.objects.update(role="viewer")

    with pytest.raises(ConsentNotAllowed):
        complete(back, owner)

    assert not Grant.objects.exists()


def test_too_late(draft: Draft, owner: User) -> None:
    back = consent_at(begin(draft, owner), "ada")
    Consent.objects.update(expires_at=now() - timedelta(seconds=1))

    with pytest.raises(ConsentExpired) as caught:
        complete(back, owner)

    assert caught.value.return_path == "/o/acme/x/"


def test_cancel_at_bitbucket(draft: Draft, owner: User) -> None:
    back = consent_at(begin(draft, owner), "ada", cancel=True)

    with pytest.raises(ConsentRefused, match="chose not to") as caught:
        complete(back, owner)

    assert caught.value.return_path == "/o/acme/x/"
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_trouble_at_the_token_endpoint(draft: Draft, owner: User, sandbox: Sandbox) -> None:
    sandbox.faults.add("/access_token", status=500)
    back = consent_at(begin(draft, owner), "ada")

    with pytest.raises(ConsentFailed, match="trouble of its own"):
        complete(back, owner)

    assert not Grant.objects.exists()


def test_without_a_consumer_it_is_said(draft: Draft, owner: User, settings: Settings) -> None:
    settings.BITBUCKET_OAUTH_CLIENT_ID = ""

    with pytest.raises(NoConsumer, match=r"BITBUCKET_OAUTH_CLIENT_ID.*under Settings"):
        begin(draft, owner)


def test_only_ticked_workspaces_are_offered(draft: Draft, owner: User, actor: Actor) -> None:
    complete(consent_at(begin(draft, owner), "ada", "acme", "globex", "empty"), owner)
    draft.refresh_from_db()
    assert draft.settings == {}
    assert draft.grant is not None
    with pytest.raises(InvalidFields):
        choose_workspace(draft=draft, workspace="acme", actor=actor)
    tick(grant=draft.grant, workspaces=["acme", "globex"], user=owner, by=actor)
    draft.refresh_from_db()

    with pytest.raises(InvalidFields):
        choose_workspace(draft=draft, workspace="empty", actor=actor)
    fill_draft(
        draft=draft, method="oauth2", settings={"workspace": "globex"}, secrets=None, actor=actor
    )

    assert draft.settings == {"workspace": "globex"}
    assert draft.grant is not None


def test_an_authorization_serves_a_second_connection(
    draft: Draft, entered: Organization, owner: User, actor: Actor
) -> None:
    grant = authorize(draft, owner, actor, "acme", "globex")
    second = start_draft(organization=entered, connector="bitbucket_cloud", by=owner, actor=actor)

    for one, workspace in ((draft, "acme"), (second, "globex")):
        use_grant(draft=one, grant=grant, actor=actor)
        choose_workspace(draft=one, workspace=workspace, actor=actor)
        verify_draft(begin_draft_verification(draft=one, send=False))
        one.refresh_from_db()
        finish_draft(draft=one, actor=actor)

    assert Grant.objects.count() == 1
    assert Connection.objects.count() == 2


@pytest.mark.parametrize(("ticked", "fits"), [("acme", True), ("globex", False)])
def test_a_pending_connection_takes_an_authorization_for_its_own_workspace_only(
    entered: Organization, owner: User, actor: Actor, ticked: str, fits: bool
) -> None:
    pending = ConnectionFactory.create(organization=entered, status="pending", identity="")
    draft = start_draft(
        organization=entered, connector="bitbucket_cloud", by=owner, actor=actor, connection=pending
    )

    with nullcontext() if fits else pytest.raises(ConsentFailed, match="not given for acme"):
        complete(consent_at(begin(draft, owner), "ada", ticked), owner)

    draft.refresh_from_db()
    assert (draft.grant is not None) is fits
    assert Grant.objects.exists() is fits


def test_an_authorization_of_another_organization_is_none(
    draft: Draft, owner: User, actor: Actor
) -> None:
    from tests.factories import OrganizationFactory

    foreign = Grant.objects.create(
        organization=OrganizationFactory.create(), connector="bitbucket_cloud", consumer="tests"
    )

    with pytest.raises(UnknownMethodGiven):
        use_grant(draft=draft, grant=foreign, actor=actor)


def test_a_revoked_consent_is_renewed_in_place(
    draft: Draft, owner: User, actor: Actor, sandbox: Sandbox
) -> None:
    connection = connect(draft, owner, actor)
    credential = Credential.objects.get()
    sandbox.change.revoke_grants("ada")
    note_failure(connection, ConsentEnded("Over."), credential=credential)
    connection.refresh_from_db()
    assert (connection.status, connection.status_code) == ("error", "consent_revoked")

    complete(consent_at(renewal(connection, owner), "ada"), owner)

    connection.refresh_from_db()
    assert (connection.status, connection.status_code) == ("available", "")
    assert Credential.objects.get().pk == credential.pk
    assert Credential.objects.get().status == Credential.Status.ACTIVE
    assert not Draft.objects.exists()


def test_a_renewal_undoes_nothing_that_was_changed_meanwhile(
    draft: Draft, owner: User, actor: Actor
) -> None:
    connection = connect(draft, owner, actor)
    address = renewal(connection, owner)
    every = {"kind": "every", "minutes": 15}
    chosen = {"streams": ["repositories", "people"]}
    update_connection(
        connection=connection, name="Renamed", schedule=every, selection=chosen, by=actor
    )

    complete(consent_at(address, "ada"), owner)

    renewed = Connection.objects.get()
    assert (renewed.name, renewed.schedule) == ("Renamed", every)
    assert renewed.selection["streams"] == ["repositories", "people"]


def test_a_renewal_for_another_workspace_changes_nothing(
    draft: Draft, owner: User, actor: Actor
) -> None:
    connection = connect(draft, owner, actor)
    before = Credential.objects.get().grant_id

    with pytest.raises(ConsentFailed, match="not given for acme") as caught:
        complete(consent_at(renewal(connection, owner), "ada", "globex"), owner)

    assert caught.value.return_path == "/o/acme/c/"
    assert Grant.objects.count() == 1
    assert Credential.objects.get().grant_id == before
