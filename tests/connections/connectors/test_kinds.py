"""What kind of access token it is, whom it acts as, what it may do beyond what is needed."""

import pytest
from pytest_django.fixtures import Settings

from connections.connectors import connector
from connections.connectors.base import Connector, Entry
from tests.connections.conftest import api_token_entry, token_entry
from tests.connections.connectors.test_checks import result
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def of_kind(kind: str, sandbox: Sandbox, scopes: list[str] | None = None) -> Entry:
    """An access token of acme, of its project CORE, or of its repository api."""
    if kind == "project":
        return token_entry(sandbox.tokens.project("acme", "CORE", scopes))
    if kind == "repository":
        return token_entry(sandbox.tokens.repository("acme", "api", scopes), repository="api")
    return token_entry(sandbox.tokens.workspace("acme", scopes))


@pytest.mark.parametrize(
    ("kind", "whom"),
    [("workspace", "acme"), ("project", "acme/CORE"), ("repository", "acme/api")],
)
def test_a_kind_is_told_with_whom_it_acts_as_and_what_it_sees(
    kind: str, whom: str, cloud: Connector, sandbox: Sandbox
) -> None:
    repositories = sandbox.world.workspaces["acme"].repositories.values()
    of_core = sum(one.project.key == "CORE" for one in repositories)

    identity = cloud.verify(of_kind(kind, sandbox)).identity

    assert (identity.kind, identity.acts_as, identity.acts_as_name) == (kind, "", whom)
    sees = {"workspace": len(repositories), "project": of_core, "repository": 1}
    assert identity.sees == sees[kind]


@pytest.mark.parametrize("kind", ["project", "repository"])
def test_what_no_token_of_a_kind_can_do_is_passed_over(
    kind: str, cloud: Connector, sandbox: Sandbox
) -> None:
    finding = cloud.verify(of_kind(kind, sandbox))

    people = result(finding, "people")
    assert finding.is_ok
    assert (people.state, people.outcome) == ("skipped", "")
    assert f"No {kind} access token can do this" in people.message
    assert finding.out_of_reach == ("people",)
    assert "people" not in finding.streams_available
    assert sandbox.count("/members") == (1 if kind == "project" else 0)


def test_a_repository_token_without_its_repository_is_asked_for_it(
    cloud: Connector, sandbox: Sandbox
) -> None:
    finding = cloud.verify(token_entry(sandbox.tokens.repository("acme", "api")))

    assert finding.outcome == "no_resources"
    assert "Name its repository in acme." in finding.message


@pytest.mark.parametrize("header", ["", "apppassword"])
def test_without_bitbuckets_word_the_kind_is_read_from_what_it_may_do(
    header: str, cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.faults.add(".", headers={"x-credential-type": header})

    workspace = cloud.verify(of_kind("workspace", sandbox))
    repository = cloud.verify(of_kind("repository", sandbox))
    unknown = cloud.verify(of_kind("project", sandbox))

    assert (workspace.identity.kind, repository.identity.kind) == ("workspace", "repository")
    assert unknown.identity.kind == ""
    assert unknown.missing_scopes == ("account",)
    assert "A project or repository token can never have it" in unknown.message


def test_scopes_that_nothing_needs_are_named(cloud: Connector, sandbox: Sandbox) -> None:
    scopes = ["account", "repository", "pullrequest", "pipeline", "project", "repository:admin"]
    classic = cloud.verify(token_entry(sandbox.tokens.workspace("acme", scopes)))
    without = cloud.verify(
        token_entry(sandbox.tokens.workspace("acme", scopes)), streams=["repositories", "people"]
    )
    granular = cloud.verify(api_token_entry(sandbox.tokens.api_token("ada@example.com")))

    assert classic.needless_scopes == ("project", "repository:admin")
    assert without.needless_scopes == ("pullrequest", "pipeline", "project", "repository:admin")
    assert granular.needless_scopes == ("read:project:bitbucket",)


def test_pipelines_need_less_than_their_parent(sandbox: Sandbox) -> None:
    pipelines = connector("bitbucket_pipelines")
    scopes = ["account", "repository", "pullrequest", "pipeline"]

    classic = pipelines.verify(token_entry(sandbox.tokens.workspace("acme", scopes)))
    granular = pipelines.verify(api_token_entry(sandbox.tokens.api_token("ada@example.com")))

    assert (classic.outcome, granular.outcome) == ("ok", "ok")
    assert classic.needless_scopes == ("account", "pullrequest")
    assert set(granular.needless_scopes) == {
        "read:project:bitbucket",
        "read:pullrequest:bitbucket",
        "read:webhook:bitbucket",
    }


def test_a_verification_as_a_whole_has_an_end(
    cloud: Connector, sandbox: Sandbox, settings: Settings
) -> None:
    settings.VERIFICATION_DEADLINE = 0.4
    sandbox.latency = 0.3

    finding = cloud.verify(of_kind("workspace", sandbox))

    assert finding.outcome == "unreachable"
    assert result(finding, "workspace").outcome == "ok"
    assert result(finding, "pipelines").outcome == "unreachable"
    assert "seconds" in finding.message or "no time was left" in finding.message
