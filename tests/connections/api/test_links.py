"""connections.link: a one-time link over the API."""

import pytest
from django.test import Client

from connections.models import Connection, ConnectLink
from tenants.models import Organization, Scope
from tests.connections.api.conftest import MakeScript, Script

pytestmark = pytest.mark.django_db


def test_a_script_makes_a_link_for_somebody_outside(script: Script, sandbox: object) -> None:
    made = script.post(
        "connections.create",
        {"type": "bitbucket_cloud", "name": "Engineering", "settings": {"workspace": "acme"}},
    )
    answer = script.post("connections.link", {"id": made.body["connection"]["id"]})

    assert answer.status == 201, answer.body
    link = answer.body["link"]
    assert link["url"].startswith("http://testserver/connect/")
    assert set(link) == {"id", "connection_id", "url", "created_at", "expires_at"}
    page = Client().get(link["url"].removeprefix("http://testserver"), follow=True)
    assert "API key terraform" in page.content.decode()
    assert ConnectLink.objects.get().asked_by is None


def test_it_needs_the_scope_and_an_existing_connection(
    script_of: MakeScript, organization: Organization, connection: Connection
) -> None:
    reader = script_of(organization, [Scope.CONNECTIONS_READ])
    writer = script_of(organization)

    assert reader.post("connections.link", {"id": connection.pk}).error == "missing_scope"
    assert writer.post("connections.link", {"id": 2**62}).error == "connection_not_found"
    assert writer.post("connections.link", {}).error == "invalid_arguments"
