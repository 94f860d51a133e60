"""The pages of what was deleted, and of what is connected already or renamed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection, Credential, Draft
from connections.services.verification import verify_credential
from tenants.models import Organization
from tenants.roles import Role
from tests.connections.views.conftest import Visit
from tests.connections.views.test_wizard import text
from tests.factories import MembershipFactory, PullRequestFactory, RepositoryFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
Url = Callable[..., str]


def test_deleted_one_is_listed_readable_and_restored(
    member: Client,
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
) -> None:
    repository = RepositoryFactory.create(connection=connection)
    PullRequestFactory.create(repository=repository, connection=connection, title="Kept change")
    post(url("connection_delete", connection.pk), confirm=connection.name)

    listed = member.get(url("deleted"))
    records = reverse("ingestion:records_pull_requests", args=(connection.organization.slug,))
    kept = member.get(records, {"connection": connection.pk})
    others = member.get(records)
    begun = post(url("connection_restore", connection.pk))
    draft = Draft.objects.get()
    entered = post(
        url("wizard_enter", draft.public_id, "access_token"),
        api_token=sandbox.tokens.workspace("acme", label="new"),
    )
    checked = member.get(entered["Location"])
    joined = post(url("wizard_join", draft.public_id))

    assert connection.name in text(listed)
    assert "can be restored until" in text(listed)
    assert "Kept change" in text(kept)
    assert "Kept change" not in text(others)
    assert begun["Location"] == url("wizard_how", draft.public_id)
    assert f"Restore {connection.name}" in text(checked)
    assert "Choose what to sync" not in text(checked)
    assert joined["Location"].endswith(f"/connections/{connection.pk}/")
    connection.refresh_from_db()
    assert connection.deleted_at is None


def test_viewer_reads_the_list_and_restores_nothing(
    client: Client, organization: Organization, url: Url, connection: Connection, member: Client
) -> None:
    Connection.objects.update(deleted_at="2100-01-01T00:00:00Z")
    viewer = Client()
    viewer.force_login(MembershipFactory.create(organization=organization, role=Role.VIEWER).user)

    page = viewer.get(url("deleted"))

    assert connection.name in text(page)
    assert "An admin can restore them" in text(page)
    assert viewer.post(url("connection_restore", connection.pk)).status_code == 403


def test_workspace_that_is_connected_is_offered_as_one_more_credential(
    member: Client,
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
) -> None:
    entered = post(
        url("wizard_enter", "bitbucket_cloud", "access_token"),
        workspace="acme",
        api_token=sandbox.tokens.workspace("acme", label="second"),
    )
    page = member.get(entered["Location"])
    answer = post(url("wizard_join", Draft.objects.get().public_id))

    assert "connected already" in text(page)
    assert f"Add it to {connection.name}" in text(page)
    assert answer["Location"] == url("credentials", connection.pk)
    assert connection.credentials.filter(deleted_at=None).count() == 2


def test_workspace_that_was_renamed_is_told_once(
    member: Client,
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sandbox.change.rename_workspace("acme", "acme-eng")
    verify_credential(credential=credential)

    told = text(member.get(url("credentials", connection.pk)))
    post(url("connection_renamed", connection.pk))
    after = text(member.get(url("credentials", connection.pk)))

    assert "acme became acme-eng" in told
    assert "became" not in after
