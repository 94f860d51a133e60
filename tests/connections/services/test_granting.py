"""Authorizations: ticked by whoever gave them, renewed for all that use them, revoked."""

import pytest
from django.utils.timezone import now

from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential, Draft, Grant
from connections.selectors import acting_as, grants_in_use, grants_of
from connections.services.drafts import (
    choose_workspace,
    discard_draft,
    finish_draft,
    start_draft,
    use_grant,
)
from connections.services.errors import NotTheOwner, NotTicked, UnknownMethodGiven
from connections.services.granting import revoke_grant, tick
from connections.services.states import note_failure
from connections.services.verification import begin_draft_verification, verify_draft
from connections.transport.errors import ConsentEnded
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.connections.consenting import consent_at
from tests.connections.services.test_consent import authorize, complete, renewal
from tests.factories import CredentialFactory, MembershipFactory, UserFactory
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]


def connect_two(draft: Draft, owner: User, actor: Actor) -> list[Connection]:
    """Connections to acme and globex by one authorization of Ada."""
    grant = authorize(draft, owner, actor, "acme", "globex")
    made = []
    for workspace in ("acme", "globex"):
        one = start_draft(
            organization=draft.organization, connector="bitbucket_cloud", by=owner, actor=actor
        )
        use_grant(draft=one, grant=grant, actor=actor)
        choose_workspace(draft=one, workspace=workspace, actor=actor)
        verify_draft(begin_draft_verification(draft=one, send=False))
        one.refresh_from_db()
        made.append(finish_draft(draft=one, actor=actor))
    return made


def test_nobody_may_use_what_is_not_ticked(
    draft: Draft, owner: User, actor: Actor, entered: Organization
) -> None:
    grant = authorize(draft, owner, actor, "acme", "globex", "empty")
    tick(grant=grant, workspaces=["globex"], user=owner, by=actor)

    draft.refresh_from_db()
    with pytest.raises(InvalidFields):
        choose_workspace(draft=draft, workspace="acme", actor=actor)
    assert [one["slug"] for one in grants_of(entered).get().workspaces] == ["globex"]
    event = AuditEvent.objects.filter(event_type="grants.ticked").latest("pk")
    assert event.changes["workspaces"][1] == ["globex"]


def test_what_was_typed_before_is_not_reached_by_an_authorization(
    draft: Draft, owner: User, actor: Actor
) -> None:
    grant = authorize(draft, owner, actor, "acme", "globex")
    other = start_draft(
        organization=draft.organization, connector="bitbucket_cloud", by=owner, actor=actor
    )
    other.settings = {"workspace": "empty"}
    other.save()

    use_grant(draft=other, grant=grant, actor=actor)

    assert other.settings == {}
    Draft.objects.filter(pk=other.pk).update(settings={"workspace": "empty"})
    other.refresh_from_db()
    verification = verify_draft(begin_draft_verification(draft=other, send=False))
    assert verification.outcome != "ok"


def test_what_is_unticked_before_the_end_is_not_connected(
    draft: Draft, owner: User, actor: Actor
) -> None:
    grant = authorize(draft, owner, actor, "acme", "globex")
    draft.refresh_from_db()
    choose_workspace(draft=draft, workspace="acme", actor=actor)
    verify_draft(begin_draft_verification(draft=draft, send=False))
    tick(grant=grant, workspaces=["globex"], user=owner, by=actor)

    with pytest.raises(NotTicked):
        finish_draft(draft=draft, actor=actor)

    assert not Connection.objects.exists()


@pytest.mark.parametrize("workspaces", [[], ["elsewhere"], ["acme", "elsewhere"]])
def test_only_workspaces_of_the_account_are_ticked(
    workspaces: list[str], draft: Draft, owner: User, actor: Actor
) -> None:
    grant = authorize(draft, owner, actor)

    with pytest.raises(InvalidFields):
        tick(grant=grant, workspaces=workspaces, user=owner, by=actor)


def test_only_who_gave_it_ticks(draft: Draft, owner: User, actor: Actor) -> None:
    grant = authorize(draft, owner, actor, "acme", "globex")

    with pytest.raises(NotTheOwner, match=str(owner)):
        tick(grant=grant, workspaces=["acme"], user=UserFactory.create(), by=actor)


def test_a_workspace_that_is_used_stays_ticked(draft: Draft, owner: User, actor: Actor) -> None:
    connect_two(draft, owner, actor)

    with pytest.raises(InvalidFields) as caught:
        tick(grant=Grant.objects.get(), workspaces=["acme"], user=owner, by=actor)

    assert "globex" in caught.value.fields["workspaces"]


def test_one_new_consent_mends_every_connection_that_used_it(
    draft: Draft,
    owner: User,
    actor: Actor,
    sandbox: Sandbox,
    django_capture_on_commit_callbacks: object,
) -> None:
    acme, globex = connect_two(draft, owner, actor)
    sandbox.change.revoke_grants("ada")
    for connection in (acme, globex):
        note_failure(connection, ConsentEnded("Over."), credential=connection.credentials.get())
    assert set(Connection.objects.values_list("status_code", flat=True)) == {"consent_revoked"}

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        complete(consent_at(renewal(acme, owner), "ada", "acme", "globex"), owner)

    assert set(Connection.objects.values_list("status", flat=True)) == {"available"}
    assert Grant.objects.count() == 1
    assert set(Credential.objects.values_list("status", flat=True)) == {"active"}


def test_a_consent_that_leaves_a_workspace_out_takes_it_from_nobody(
    draft: Draft, owner: User, actor: Actor
) -> None:
    acme, globex = connect_two(draft, owner, actor)
    before = globex.credentials.get().grant_id

    complete(consent_at(renewal(acme, owner), "ada", "acme"), owner)

    assert globex.credentials.get().grant_id == before
    assert acme.credentials.get().grant_id != before
    assert Grant.objects.get(pk=before).secrets is not None


def test_what_was_erased_is_ticked_anew(draft: Draft, owner: User, actor: Actor) -> None:
    grant = authorize(draft, owner, actor)
    revoke_grant(grant=grant, by=actor)

    complete(consent_at(begin_again(draft, owner), "ada"), owner)

    assert Grant.objects.get().workspaces == []


def begin_again(draft: Draft, owner: User) -> str:
    from tests.connections.services.test_consent import begin

    return begin(draft, owner)


def test_revoking_names_what_used_it_and_erases_it(
    draft: Draft, owner: User, actor: Actor, entered: Organization
) -> None:
    connect_two(draft, owner, actor)
    discard_draft(draft=draft, actor=actor)
    use = grants_in_use(entered)[0]
    assert [connection.name for connection in use.connections] == ["acme", "globex"]

    assert revoke_grant(grant=use.grant, by=actor) == ["acme", "globex"]

    grant = Grant.objects.get()
    assert grant.secrets is None
    rows = Connection.objects.values_list("status", "status_code", "status_message")
    assert {row[:2] for row in rows} == {("error", "consent_revoked")}
    assert str(owner) in rows[0][2]
    assert [use.grant.ended_at is None for use in grants_in_use(entered)] == [False]
    with pytest.raises(UnknownMethodGiven):
        use_grant(
            draft=start_draft(
                organization=entered, connector="bitbucket_cloud", by=owner, actor=actor
            ),
            grant=grant,
            actor=actor,
        )


def test_an_authorization_that_nothing_uses_is_revoked_and_gone(
    draft: Draft, owner: User, actor: Actor, entered: Organization
) -> None:
    grant = authorize(draft, owner, actor)
    assert len(grants_in_use(entered)) == 1

    assert revoke_grant(grant=grant, by=actor) == []

    assert grants_in_use(entered) == []
    event = AuditEvent.objects.get(event_type="grants.revoked")
    assert "access_token" not in str(event.changes)


def test_what_acts_as_a_member(
    draft: Draft, owner: User, actor: Actor, entered: Organization
) -> None:
    acme, _ = connect_two(draft, owner, actor)
    CredentialFactory.create(
        connection=acme,
        label="Theirs",
        method="api_token",
        settings={"username": owner.email.upper()},
    )
    CredentialFactory.create(connection=acme, label="Gone", secrets=None, deleted_at=now())
    membership = owner.memberships.get()

    named = acting_as(membership)

    assert "Theirs of acme" in named
    assert "Bitbucket authorization of Ada Admin of globex" in named
    assert len(named) == 3
    assert acting_as(MembershipFactory.create(organization=entered)) == []
