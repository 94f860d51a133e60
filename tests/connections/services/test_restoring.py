"""Deleted connections: readable and restorable for a while, and forgotten after it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now

from connections.models import Connection, Credential, Draft
from connections.selectors import deleted_connections
from connections.services import drafts, restoring
from connections.services.connections import delete_connection
from connections.services.errors import ConnectionDeleted, OtherWorkspace
from connections.services.verification import begin_draft_verification, verify_draft
from ingestion.models import PullRequest, Repository, Sync
from ingestion.services.purging import purge_deleted
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.factories import (
    ConnectionFactory,
    CoverageFactory,
    PullRequestFactory,
    RepositoryFactory,
    SyncFactory,
)
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
Entered = Callable[..., Draft]


@pytest.fixture
def enter(entered: Organization, owner: User, actor: Actor, sandbox: Sandbox) -> Entered:
    """A draft whose secret was verified: new, or to restore a connection."""

    def make(workspace: str = "acme", connection: Connection | None = None) -> Draft:
        draft = drafts.start_draft(
            organization=entered,
            connector="bitbucket_cloud",
            by=owner,
            actor=actor,
            connection=connection,
        )
        token = sandbox.tokens.workspace(workspace, label=f"new of {workspace}")
        drafts.fill_draft(
            draft=draft,
            method="access_token",
            settings={"workspace": workspace},
            secrets={"api_token": token},
            actor=actor,
        )
        verify_draft(begin_draft_verification(draft=draft, send=False))
        draft.refresh_from_db()
        return draft

    return make


def age(connection: Connection, days: float) -> None:
    Connection.objects.filter(pk=connection.pk).update(deleted_at=now() - timedelta(days=days))
    connection.refresh_from_db()


@pytest.fixture
def deleted(connection: Connection, actor: Actor) -> Connection:
    """A connection with a record, deleted."""
    RepositoryFactory.create(connection=connection)
    delete_connection(connection=connection, by=actor)
    return connection


def test_secrets_are_erased_at_once_and_records_stay(deleted: Connection) -> None:
    assert not Credential.objects.filter(secrets__isnull=False).exists()
    assert Repository.objects.count() == 1
    assert list(deleted_connections(deleted.organization_id)) == [deleted]


def test_is_restored_with_a_new_secret(deleted: Connection, enter: Entered, actor: Actor) -> None:
    before = (deleted.pk, deleted.selection, deleted.name)

    joined = restoring.join_connection(
        draft=enter(connection=deleted), connection=deleted, actor=actor
    )

    assert (joined.pk, joined.selection, joined.name) == before
    assert (joined.deleted_at, joined.status) == (None, "available")
    assert joined.credentials.filter(deleted_at=None).count() == 1
    assert Repository.objects.filter(connection=joined).count() == 1
    assert AuditEvent.objects.filter(event_type="connections.restored").exists()


def test_secret_of_another_workspace_restores_nothing(
    deleted: Connection, enter: Entered, actor: Actor
) -> None:
    draft = enter("globex")

    with pytest.raises(OtherWorkspace):
        restoring.join_connection(draft=draft, connection=deleted, actor=actor)

    deleted.refresh_from_db()
    assert deleted.deleted_at


def test_name_that_was_taken_meanwhile_is_told_apart(
    deleted: Connection, enter: Entered, actor: Actor
) -> None:
    ConnectionFactory.create(organization=deleted.organization, name=deleted.name)

    joined = restoring.join_connection(
        draft=enter(connection=deleted), connection=deleted, actor=actor
    )

    assert joined.name == f"{deleted.name} (restored)"


def test_after_thirty_days_it_is_too_late(
    deleted: Connection, enter: Entered, actor: Actor
) -> None:
    draft = enter(connection=deleted)
    age(deleted, 30.01)

    with pytest.raises(ConnectionDeleted):
        restoring.join_connection(draft=draft, connection=deleted, actor=actor)

    assert not deleted_connections(deleted.organization_id).exists()


def test_workspace_that_is_connected_gets_one_more_credential(
    connection: Connection, enter: Entered, actor: Actor
) -> None:
    draft = enter()

    found = restoring.same_thing(draft)
    assert found == connection
    restoring.join_connection(draft=draft, connection=connection, actor=actor)

    assert Connection.objects.count() == 1
    assert connection.credentials.filter(deleted_at=None).count() == 2


def test_workspace_that_was_deleted_is_offered_to_be_restored(
    deleted: Connection, enter: Entered
) -> None:
    assert restoring.same_thing(enter()) == deleted
    age(deleted, 31)
    assert restoring.same_thing(enter()) is None


@pytest.mark.parametrize(("days", "left"), [(29.9, 1), (30.1, 0)])
def test_is_forgotten_when_its_time_is_over(
    connection: Connection, actor: Actor, days: float, left: int
) -> None:
    other = ConnectionFactory.create(organization=connection.organization)
    for one in (connection, other):
        repository = RepositoryFactory.create(connection=one)
        PullRequestFactory.create(repository=repository, connection=one)
        CoverageFactory.create(repository=repository, connection=one)
        SyncFactory.create(connection=one)
    delete_connection(connection=connection, by=actor)
    age(connection, days)

    purge_deleted()

    assert Connection.objects.filter(pk=connection.pk).count() == left
    for model in (Repository, PullRequest, Sync):
        assert model.objects.filter(connection=connection.pk).count() == left
        assert model.objects.filter(connection=other).count() == 1
    assert AuditEvent.objects.filter(event_type="connections.purged").count() == 1 - left


def test_forgetting_goes_in_bounded_steps(deleted: Connection) -> None:
    RepositoryFactory.create_batch(5, connection=deleted)
    age(deleted, 31)

    gone = purge_deleted(rows=2, steps=2)

    assert gone == 4
    assert Repository.objects.count() == 2
    assert Connection.objects.filter(pk=deleted.pk).exists()


def test_parent_waits_for_its_children(deleted: Connection) -> None:
    child = ConnectionFactory.create(
        organization=deleted.organization, parent=deleted, deleted_at=now()
    )
    age(deleted, 40)

    purge_deleted()
    assert Connection.objects.filter(pk=deleted.pk).exists()
    age(child, 31)
    purge_deleted()

    assert not Connection.objects.exists()
