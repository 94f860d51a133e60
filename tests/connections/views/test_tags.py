"""Tags on a connection's settings page."""

import pytest
from django.test import Client

from connections.models import Connection
from connections.services.creating import create_connection
from connections.services.drafts import fill_draft, start_draft
from connections.services.finishing import finish_draft
from connections.services.tags import tags_of
from connections.services.verification import begin_draft_verification, verify_draft
from tenants.actor import Actor
from tenants.models import Organization, User

pytestmark = pytest.mark.django_db


def test_they_are_typed_one_a_line(
    member: Client, connection: Connection, organization: Organization
) -> None:
    page = f"/o/{organization.slug}/connections/{connection.pk}/settings/"
    sent = {"name": connection.name, "schedule": "off", "window": "all"}

    saved = member.post(page, {**sent, "tags": "env = prod\n\nteam"})
    refused = member.post(page, {**sent, "tags": "aws:x=1"})

    assert saved.status_code == 302, saved.content.decode()[-3000:]
    assert tags_of(connection) == {"env": "prod", "team": ""}
    assert "env=prod\nteam" in member.get(page).content.decode()
    assert refused.status_code == 422
    assert "are reserved" in refused.content.decode()


def test_what_is_connected_is_said_by_whoever_finishes(
    entered: Organization, owner: User, actor: Actor, token: str
) -> None:
    made = create_connection(
        organization=entered, connector="bitbucket_cloud", name="Main", settings=None, by=actor
    ).connection
    assert made is not None
    draft = start_draft(
        organization=entered, connector="bitbucket_cloud", by=owner, actor=actor, connection=made
    )

    fill_draft(
        draft=draft,
        method="access_token",
        settings={"workspace": "acme"},
        secrets={"api_token": token},
        actor=actor,
    )
    verify_draft(begin_draft_verification(draft=draft, send=False))
    done = finish_draft(draft=draft, actor=actor)

    assert done.pk == made.pk
    assert done.status == Connection.Status.AVAILABLE
    assert done.settings == {"workspace": "acme"}
