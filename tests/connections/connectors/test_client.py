"""The client's endpoints against the sandbox."""

import pytest

from connections.connectors.base import Connector
from connections.transport.errors import BadRequest, InvalidPermissions, NotFound
from tests.connections.conftest import token_entry
from tests.sandbox import Sandbox, Scale

pytestmark = pytest.mark.django_db


@pytest.fixture
def repository(sandbox: Sandbox) -> str:
    sandbox.reset(scale=Scale(repositories=2, pull_requests=60))
    return sandbox.world.workspaces["acme"].repositories["api"].uuid


def test_pull_requests_come_fifty_a_page_with_participants(
    cloud: Connector, sandbox: Sandbox, repository: str
) -> None:
    with cloud.client(token_entry(sandbox.tokens.workspace("acme"))) as client:
        query = 'state IN ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")'
        found = list(client.pull_requests(repository, q=query))

    assert [len(page.json["values"]) for page in found] == [50, 10]
    rows = [row for page in found for row in page.json["values"]]
    assert all("participants" in row for row in rows)
    assert [row["updated_on"] for row in rows] == sorted(row["updated_on"] for row in rows)


def test_a_walk_goes_on_at_a_next(cloud: Connector, sandbox: Sandbox, repository: str) -> None:
    with cloud.client(token_entry(sandbox.tokens.workspace("acme"))) as client:
        first = next(client.activity(repository))
        rest = next(client.activity(repository, start=first.json["next"]))

    assert rest.json["values"] != first.json["values"]


def test_every_endpoint_answers(cloud: Connector, sandbox: Sandbox, repository: str) -> None:
    with cloud.client(token_entry(sandbox.tokens.workspace("acme"))) as client:
        run = client.pipelines(repository, page=1).json["values"][0]
        answers = [
            client.workspace(),
            next(client.members()),
            next(client.repositories(sort="-updated_on")),
            client.repository(repository),
            client.pull_request(repository, 1),
            next(client.pull_request_activity(repository, 1)),
            next(client.comments(repository, 1)),
            client.pipeline(repository, run["uuid"]),
            next(client.hooks(repository)),
            client.user(),
            next(client.workspaces()),
        ]

    assert {answer.status for answer in answers} == {200}
    assert sandbox.source_requests == 0


def test_refusals_are_read(cloud: Connector, sandbox: Sandbox, repository: str) -> None:
    with cloud.client(token_entry(sandbox.tokens.workspace("acme", ["repository"]))) as client:
        with pytest.raises(InvalidPermissions) as refused:
            client.pull_request(repository, 1)
        with pytest.raises(NotFound):
            client.repository("no-such-repository")
        with pytest.raises(BadRequest, match="Bitbucket did not understand"):
            next(client.repositories(q="colour ~~ 3"))

    assert refused.value.missing_scopes == ("pullrequest",)
    assert refused.value.granted == ("repository",)
