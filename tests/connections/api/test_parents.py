"""connections.create with parent_id, and the deletion of a connection that others stand beneath."""

from typing import Any

import pytest

from tests.connections.api.conftest import Script
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
KIND = "bitbucket_pipelines"


@pytest.fixture
def parent(script: Script, sandbox: Sandbox) -> Any:
    """The id of a connection that works."""
    credential = {"secrets": {"api_token": sandbox.tokens.workspace("acme")}}
    body = {"type": "bitbucket_cloud", "name": "Engineering", "settings": {"workspace": "acme"}}
    return script.post("connections.create", {**body, "credential": credential}).body["connection"][
        "id"
    ]


def new(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """A connection of the kind, with a token of its own."""
    token = sandbox.tokens.workspace("acme", ["repository", "pipeline"])
    credential = {"secrets": {"api_token": token}}
    return {"type": KIND, "name": "Builds", "settings": {}, "credential": credential, **more}


def test_it_is_made_beneath_its_parent(script: Script, sandbox: Sandbox, parent: int) -> None:
    answer = script.post("connections.create", new(sandbox, parent_id=parent))

    assert answer.status == 201, answer.body
    row = answer.body["connection"]
    assert (row["parent_id"], row["state"]) == (parent, "verified")
    deletion = script.post("connections.delete", {"id": parent})
    assert (deletion.status, deletion.error) == (409, "connection_in_use")
    assert "Builds" in deletion.body["message"]


@pytest.mark.parametrize("parent_id", [None, 2**40])
def test_without_a_parent_it_is_refused(
    script: Script, sandbox: Sandbox, parent_id: int | None
) -> None:
    answer = script.post("connections.create", new(sandbox, parent_id=parent_id))

    assert (answer.status, answer.error) == (422, "parent_required")


def test_workspace_is_not_asked_for(script: Script, sandbox: Sandbox, parent: int) -> None:
    given = new(sandbox, parent_id=parent, settings={"workspace": "globex"})
    answer = script.post("connections.create", given)

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert list(answer.body["fields"]) == ["settings.workspace"]
