"""Checks that meet what is odd: removed workspaces, strange lists, tokens of few scopes."""

import pytest

from connections.connectors.base import Connector
from tests.connections.conftest import token_entry
from tests.connections.connectors.test_checks import result
from tests.sandbox import Sandbox, Scale

pytestmark = pytest.mark.django_db


def test_a_removed_workspace_is_not_found(cloud: Connector, sandbox: Sandbox) -> None:
    said = '{"type": "error", "error": {"message": "This workspace has been removed."}}'
    sandbox.faults.add("/(workspaces|repositories)/acme", status=410, body=said)

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    assert finding.outcome == "workspace_not_found"
    assert finding.mended_by == "workspace_admin"


@pytest.mark.parametrize("repository", ["", "api"])
@pytest.mark.parametrize("body", ["{}", '{"type": "error"}', "[]", "null", '{"uuid": 5}'])
def test_an_answer_without_repositories_is_no_empty_list(
    body: str, repository: str, cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.faults.add("/repositories/acme", body=body)
    entry = token_entry(sandbox.tokens.workspace("acme"), repository=repository)

    assert cloud.verify(entry).outcome == "unexpected_response"


def test_a_single_repository_is_no_list(cloud: Connector, sandbox: Sandbox) -> None:
    sandbox.faults.add("/repositories/acme", body='{"uuid": "{x}", "full_name": "a/b"}')

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    assert finding.outcome == "unexpected_response"


def test_comments_are_not_blamed_where_pull_requests_cannot_be_read(
    cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.reset(scale=Scale(repositories=1, pull_requests=0, pipelines=1, people=3))
    sandbox.faults.add(r"/pullrequests\?", kind="html")

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    comments = result(finding, "pull_request_comments")
    assert (comments.state, comments.outcome) == ("skipped", "")
    assert comments.message == "Not asked: the list of pull requests could not be read."
    assert "pull_request_comments" not in finding.streams_available


def test_a_removed_endpoint_is_told_with_its_date_and_announcement(
    cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.faults.add("/pipelines", kind="410")

    message = result(
        cloud.verify(token_entry(sandbox.tokens.workspace("acme"))), "pipelines"
    ).message

    assert "Bitbucket removed this endpoint on 2026-04-14 (410)." in message
    assert "CHANGE-2770" in message
    assert "https://developer.atlassian.com/cloud/bitbucket/changelog/#CHANGE-2770" in message
