"""A connection beneath another, in the browser: from its tile to its first sync, and its pages."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection, Draft
from ingestion.models import Sync
from tenants.models import Organization
from tests.factories import ConnectionFactory, CoverageFactory, RepositoryFactory
from tests.ingestion.views.conftest import Address, text_of
from tests.sandbox import Sandbox

KIND = "bitbucket_pipelines"
Page = Callable[..., str]


@pytest.fixture
def parent(entered: Organization, sandbox: Sandbox) -> Connection:
    """A connection that works, to the sandbox's workspace."""
    return ConnectionFactory.create(
        organization=entered,
        name="Engineering",
        identity=sandbox.world.workspaces["acme"].uuid,
    )


@pytest.fixture
def wizard(organization: Organization) -> Page:
    """Addresses of the wizard."""
    return lambda name, *args: reverse(f"connections:{name}", args=(organization.slug, *args))


def test_from_its_tile_to_its_first_sync(
    member: Client,
    url: Address,
    wizard: Page,
    parent: Connection,
    sandbox: Sandbox,
    django_capture_on_commit_callbacks: Any,
) -> None:
    tiles = text_of(member.get(wizard("wizard_what")))
    asks = member.get(wizard("wizard_how", KIND))
    beneath = text_of(member.get(wizard("wizard_parent", KIND)))
    member.post(wizard("wizard_parent", KIND), {"parent": parent.pk})
    draft = Draft.objects.get()
    how = text_of(member.get(wizard("wizard_how", draft.public_id)))
    enter = wizard("wizard_enter", draft.public_id, "access_token")
    form = text_of(member.get(enter))
    token = sandbox.tokens.workspace("acme", ["repository", "pipeline"])
    with django_capture_on_commit_callbacks(execute=True):
        member.post(enter, {"api_token": token})
    choose = text_of(member.get(url("wizard_choose", draft.public_id)))
    streams = ["pipelines", "pipeline_steps"]
    values = {"name": "Builds", "streams": streams, "window": "all", "schedule": "60"}
    estimate = member.post(url("wizard_estimate", draft.public_id), values)
    address = url("wizard_choose", draft.public_id)
    call = member.post(address, {**values, "as_api_call": "1"}, headers={"X-Part": "api-call"})
    response = member.post(address, values)

    assert "Needs a connection to Bitbucket Cloud that works." in tiles
    assert asks.url == wizard("wizard_parent", KIND)
    assert "Engineering" in beneath
    assert "checked" in beneath
    assert "Bitbucket authorization" not in how
    assert 'name="workspace"' not in form
    assert "They are chosen there." in choose
    assert 'name="repositories"' not in choose
    assert 'value="Engineering (Bitbucket Pipelines)"' in choose
    assert "requests" in text_of(estimate)
    assert f'"parent_id": {parent.pk}' in unescape(text_of(call))
    connection, sync = Connection.objects.get(name="Builds"), Sync.objects.get()
    assert response.url == url("sync", sync.pk)
    assert (connection.parent, connection.identity) == (parent, parent.identity)
    assert sync.streams == streams


def test_without_a_connection_that_works_it_says_what_is_missing(
    member: Client, wizard: Page, parent: Connection
) -> None:
    Connection.objects.update(status=Connection.Status.ERROR)

    page = text_of(member.get(wizard("wizard_parent", KIND)))
    refused = member.post(wizard("wizard_parent", KIND), {"parent": parent.pk})

    assert "There is no connection to stand beneath" in page
    assert refused.status_code == 422
    assert not Draft.objects.exists()


def test_others_need_no_parent(member: Client, wizard: Page) -> None:
    response = member.get(wizard("wizard_parent", "bitbucket_cloud"))

    assert response.url == wizard("wizard_how", "bitbucket_cloud")


def test_the_two_lead_to_each_other(member: Client, url: Address, parent: Connection) -> None:
    repository = RepositoryFactory.create(connection=parent, name="api")
    child = ConnectionFactory.create(
        organization=parent.organization,
        connector=KIND,
        parent=parent,
        name="Builds",
        identity=parent.identity,
    )
    Connection.objects.filter(pk=parent.pk).update(handed_over=["pipelines"])
    CoverageFactory.create(connection=child, repository=repository, stream="pipelines")

    above = text_of(member.get(url("connection", parent.pk)))
    below = text_of(member.get(url("connection", child.pk)))
    repositories = text_of(member.get(url("connection_repositories", child.pk)))

    assert f'<a href="{url("connection", child.pk)}">Builds</a>' in above
    assert f'<a href="{url("connection", parent.pk)}">Engineering</a>' in below
    assert "Bitbucket Pipelines" in below
    assert "acme/api" in repositories
    assert "They are chosen there." in repositories
    assert 'name="ids"' not in repositories
