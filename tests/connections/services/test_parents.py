"""A Pipelines connection stands beneath a working connection to Bitbucket Cloud."""

from typing import Any

import pytest

from connections.connectors import connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from connections.services import drafts
from connections.services.connections import delete_connection
from connections.services.creating import create_connection
from connections.services.credentials import create_credential
from connections.services.drafts import finish_draft
from connections.services.entering import NewCredential
from connections.services.errors import ConnectionInUse, ParentRequired, VerificationFailed
from connections.services.parents import possible_parents
from connections.services.selections import copied_streams
from connections.services.verification import begin_draft_verification, verify_draft
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox, Scale

SYSTEM = Actor.system()
TAKEN = ["pipelines", "pipeline_steps", "deployments"]


@pytest.fixture
def parent(organization: Organization, sandbox: Sandbox, entered: Organization) -> Connection:
    """A working connection to the sandbox's workspace."""
    sandbox.reset(scale=Scale(repositories=2, pull_requests=2, pipelines=4, people=3))
    return ConnectionFactory.create(
        organization=organization,
        name="Engineering",
        identity=sandbox.world.workspaces["acme"].uuid,
    )


def make(parent: Connection, token: str = "", **values: Any) -> Connection:
    """A connection beneath this one, with a token or pending."""
    credential = NewCredential(secrets={"api_token": token}) if token else None
    given = {"name": "Engineering pipelines", "settings": {}, "parent_id": parent.pk, **values}
    created = create_connection(
        organization=parent.organization,
        connector="bitbucket_pipelines",
        credential=credential,
        by=SYSTEM,
        **given,
    )
    assert created.connection
    return created.connection


def test_it_is_of_its_parents_workspace_and_copies_in_its_stead(
    parent: Connection, sandbox: Sandbox
) -> None:
    child = make(parent, sandbox.tokens.workspace("acme", ["repository", "pipeline"]))

    assert child.status == Connection.Status.AVAILABLE
    assert (child.parent, child.identity) == (parent, parent.identity)
    assert child.settings == {"workspace": "acme"}
    assert copied_streams(child) == tuple(TAKEN)
    parent.refresh_from_db()
    assert not set(TAKEN) & set(copied_streams(parent))
    assert "pull_requests" in copied_streams(parent)


@pytest.mark.parametrize("status", ["pending", "error", "disabled", "deleted", "none", "other"])
def test_it_needs_a_parent_that_works(parent: Connection, sandbox: Sandbox, status: str) -> None:
    pk: int | None = parent.pk
    if status == "deleted":
        delete_connection(connection=parent, by=SYSTEM)
    elif status == "none":
        pk = None
    elif status == "other":
        pk = make(parent).pk  # of another connector
    else:
        Connection.objects.filter(pk=parent.pk).update(status=status)

    with pytest.raises(ParentRequired) as caught:
        make(parent, sandbox.tokens.workspace("acme"), name="Second", parent_id=pk)

    assert caught.value.code == "parent_required"
    assert not Connection.objects.filter(name="Second").exists()


def test_others_belong_to_none(parent: Connection) -> None:
    with pytest.raises(InvalidFields) as caught:
        create_connection(
            organization=parent.organization,
            connector="bitbucket_cloud",
            name="Another",
            settings={"workspace": "acme"},
            parent_id=parent.pk,
            by=SYSTEM,
        )

    assert list(caught.value.fields) == ["parent_id"]


def test_token_of_another_workspace_is_refused(parent: Connection, sandbox: Sandbox) -> None:
    with pytest.raises(VerificationFailed):
        make(parent, sandbox.tokens.workspace("globex"))

    assert Connection.objects.count() == 1


def test_pending_one_takes_over_when_it_is_finished(parent: Connection, sandbox: Sandbox) -> None:
    child = make(parent)
    parent.refresh_from_db()
    before = list(parent.handed_over)

    create_credential(
        connection=child,
        secrets={"api_token": sandbox.tokens.workspace("acme")},
        by=SYSTEM,
    )

    parent.refresh_from_db()
    child.refresh_from_db()
    assert (before, parent.handed_over) == ([], TAKEN)
    moved = AuditEvent.objects.get(event_type="connections.streams_moved")
    assert moved.target["name"] == parent.name
    assert moved.changes == {"streams": TAKEN, "to": child.name}
    assert child.identity == parent.identity


def test_parent_cannot_be_deleted_before_it(parent: Connection, sandbox: Sandbox) -> None:
    child = make(parent, sandbox.tokens.workspace("acme"))

    with pytest.raises(ConnectionInUse) as caught:
        delete_connection(connection=parent, by=SYSTEM)

    assert "“Engineering pipelines”" in caught.value.message
    delete_connection(connection=child, by=SYSTEM)
    parent.refresh_from_db()
    assert parent.handed_over == []
    moved = AuditEvent.objects.filter(event_type="connections.streams_moved").latest("pk")
    assert (moved.target["name"], moved.changes["to"]) == (child.name, parent.name)
    assert "pipelines" in copied_streams(parent)
    delete_connection(connection=parent, by=SYSTEM)


def test_parents_that_have_one_or_do_not_work_are_not_offered(
    parent: Connection, sandbox: Sandbox
) -> None:
    kind = connector("bitbucket_pipelines")
    free = ConnectionFactory.create(organization=parent.organization, name="Free")
    ConnectionFactory.create(organization=parent.organization, status="error")
    ConnectionFactory.create(  # of another organization, beneath the same workspace
        connector=kind.key, identity=free.identity
    )
    make(parent, sandbox.tokens.workspace("acme"))

    assert possible_parents(parent.organization, kind) == [free]


def test_repositories_are_not_chosen_here(parent: Connection) -> None:
    with pytest.raises(InvalidFields) as caught:
        make(parent, selection={"repositories": {"mode": "chosen", "ids": ["{1}"]}})

    assert list(caught.value.fields) == ["selection.repositories.mode"]


def test_checks_name_the_one_scope_that_is_missing(parent: Connection, sandbox: Sandbox) -> None:
    with pytest.raises(VerificationFailed) as caught:
        make(parent, sandbox.tokens.workspace("acme", ["repository", "pullrequest"]))

    finding = caught.value.finding
    assert finding.missing_scopes == ("pipeline",)
    assert [check.name for check in finding.checks] == [
        "workspace",
        "repositories",
        *TAKEN,
    ]
    assert not any("/pullrequests" in one.path for one in sandbox.requests)


def test_restored_one_copies_in_its_parents_stead_again(
    parent: Connection, sandbox: Sandbox, owner: User
) -> None:
    child = make(parent, sandbox.tokens.workspace("acme"))
    delete_connection(connection=child, by=SYSTEM)
    token = sandbox.tokens.workspace("acme", ["repository", "pipeline"])
    draft = drafts.start_draft(
        organization=parent.organization,
        connector=child.connector,
        by=owner,
        actor=SYSTEM,
        connection=child,
    )
    drafts.fill_draft(
        draft=draft,
        method="access_token",
        settings={},
        secrets={"api_token": token},
        actor=SYSTEM,
    )
    verify_draft(begin_draft_verification(draft=draft, send=False))

    restored = finish_draft(draft=draft, actor=SYSTEM)

    parent.refresh_from_db()
    assert (restored.pk, restored.deleted_at, restored.parent) == (child.pk, None, parent)
    assert parent.handed_over == TAKEN
