"""An authorization that was withdrawn and given again: everything goes on where it stood."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from connections.models import Connection, Credential, Grant
from connections.services.consent import begin_consent, complete_consent
from connections.services.drafts import choose_workspace, finish_draft, start_draft
from connections.services.granting import tick
from connections.services.verification import begin_draft_verification, verify_draft
from ingestion import engine
from ingestion.models import Comment, Event, PullRequest, Review, State, Sync
from ingestion.services.syncs import start_sync
from tenants import access
from tenants.actor import Actor
from tenants.models import Organization, User
from tests.connections.consenting import consent_at
from tests.sandbox import Sandbox, Scale
from tests.sandbox.sandbox import CONSUMER

SESSION, CHANGED = "the-browser-session", 50
SCALE = Scale(repositories=4, pull_requests=30, pipelines=4, people=6)


@pytest.fixture
def entered(transactional_db: None, organization: Organization) -> Iterator[Organization]:
    with access.enter(organization):
        yield organization


@pytest.fixture
def connection(
    entered: Organization, owner: User, sandbox: Sandbox, settings: Settings
) -> Connection:
    """A connection by consent that was synced once."""
    settings.BITBUCKET_OAUTH_CLIENT_ID, settings.BITBUCKET_OAUTH_CLIENT_SECRET = CONSUMER
    settings.PUBLIC_URL = "http://127.0.0.1"
    sandbox.reset(scale=SCALE)
    sandbox.quota.limit = 100_000
    actor = Actor.for_user(owner)
    draft = start_draft(organization=entered, connector="bitbucket_cloud", by=owner, actor=actor)
    consent(owner, draft=draft)
    draft.refresh_from_db()
    assert draft.grant is not None
    tick(grant=draft.grant, workspaces=["acme"], user=owner, by=actor)
    draft.refresh_from_db()
    choose_workspace(draft=draft, workspace="acme", actor=actor)
    verify_draft(begin_draft_verification(draft=draft, send=False))
    draft.refresh_from_db()
    made = finish_draft(draft=draft, actor=actor)
    assert sync(made).state == State.SUCCEEDED
    return made


def consent(user: User, **purpose: object) -> None:
    """Ada allows it at Bitbucket, and comes back."""
    address = begin_consent(
        user=user,
        session_key=SESSION,
        return_path="/o/",
        **purpose,  # type: ignore[arg-type]
    )
    back = consent_at(address, "ada")
    complete_consent(state=back["state"], code=back["code"], session_key=SESSION, user=user)


def sync(connection: Connection) -> Sync:
    started = start_sync(
        connection=connection, trigger=Sync.Trigger.PERSON, mode="incremental", by=Actor.system()
    )
    return engine.run_to_end(started.pk)


def test_a_reconnected_connection_reads_what_it_missed_and_nothing_else(
    connection: Connection, owner: User, sandbox: Sandbox
) -> None:
    kept = ("pk", "public_id", "name", "selection", "schedule", "created_at")
    before = {name: getattr(connection, name) for name in kept}
    credential = Credential.objects.get().pk
    ids = dict(PullRequest.objects.values_list("pk", "number"))
    sandbox.change.revoke_grants("ada")
    assert sync(connection).state == State.FAILED
    connection.refresh_from_db()
    assert connection.status_code == "consent_revoked"
    places = sandbox.world.workspaces["acme"].repositories.values()
    for number in range(CHANGED):
        place = list(places)[number % len(places)]
        sandbox.change.pull_request("acme", place.slug, 1 + number // len(places), title="Changed")
    asked = len(sandbox.requests)

    consent(owner, connection=connection)
    caught_up = sync(Connection.objects.get())

    assert caught_up.state == State.SUCCEEDED, caught_up.error
    renewed = Connection.objects.get()
    assert {name: getattr(renewed, name) for name in kept} == before
    assert Credential.objects.get().pk == credential
    assert Grant.objects.count() == 1
    assert dict(PullRequest.objects.values_list("pk", "number")) == ids
    assert PullRequest.objects.filter(title="Changed").count() == CHANGED
    for place in places:
        there = place.pull_requests.values()
        here = PullRequest.objects.filter(repository__uuid=place.uuid)
        assert set(here.values_list("number", "state", "updated_on")) == {
            (one.id, one.state, one.updated_on) for one in there
        }
        of_here = {"repository__uuid": place.uuid}
        shown = [e for one in there for e in one.activity if not (e.comment and e.comment.vanished)]
        assert Event.objects.filter(**of_here).count() == len(shown)
        live = Comment.objects.filter(is_deleted=False, **of_here)
        assert live.count() == sum(one.comment_count for one in there)
        assert Review.objects.filter(**of_here).count() == sum(
            len(one.participants) for one in there
        )
    # As many as any sync of so many changes needs, and the consent with its checks.
    print("requests", len(sandbox.requests) - asked, caught_up.requests)
    assert len(sandbox.requests) - asked <= 145
