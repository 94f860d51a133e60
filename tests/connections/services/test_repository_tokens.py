"""A repository token belongs to a repository, not to a name."""

import pytest

from connections.models import Connection, Credential
from connections.services import verification
from connections.services.creating import create_connection
from connections.services.entering import NewCredential
from connections.services.errors import InvalidSettings
from tenants.actor import Actor
from tenants.models import Organization
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def connect(sandbox: Sandbox, actor: Actor, entered: Organization, **more: object) -> Connection:
    secret = sandbox.tokens.repository("acme", "api")
    settings = {"repository": "https://bitbucket.org/acme/api/src/main/"}
    made = create_connection(
        organization=entered,
        connector="bitbucket_cloud",
        name="One repository",
        settings={"workspace": "acme"},
        credential=NewCredential(secrets={"token": secret}, settings=settings),
        by=actor,
        **more,  # type: ignore[arg-type]
    )
    assert made.connection is not None
    return made.connection


def test_a_rename_of_the_repository_does_not_break_its_token(
    sandbox: Sandbox, actor: Actor, entered: Organization
) -> None:
    connection = connect(sandbox, actor, entered)
    credential = Credential.objects.get(connection=connection)
    api = sandbox.world.workspaces["acme"].repositories["api"]
    sandbox.change.rename_repository("acme", "api", "interface")

    found = verification.verify_credential(credential=credential)

    credential.refresh_from_db()
    assert found.outcome == "ok"
    assert credential.settings == {"repository": api.uuid}
    assert (credential.kind, credential.acts_as) == ("repository", "acme/interface")


def test_what_such_a_token_cannot_read_is_left_out(
    sandbox: Sandbox, actor: Actor, entered: Organization
) -> None:
    connection = connect(sandbox, actor, entered)

    assert "people" not in connection.selection["streams"]
    assert "pipelines" in connection.selection["streams"]
    assert Credential.objects.get().label == "Repository access token of acme/api"


def test_what_is_asked_for_by_name_is_not_left_out_silently(
    sandbox: Sandbox, actor: Actor, entered: Organization
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        connect(sandbox, actor, entered, selection={"streams": ["repositories", "people"]})

    assert "selection.streams" in caught.value.fields
    assert not Connection.objects.exists()
