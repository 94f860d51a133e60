"""The checks of Bitbucket Cloud against the sandbox."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.connectors.base import CheckResult, Connector, Entry
from connections.connectors.findings import Finding
from connections.transport.http import RequestInTransaction
from tests.connections.conftest import api_token_entry, token_entry
from tests.sandbox import Sandbox, Scale

pytestmark = pytest.mark.django_db

CLASSIC = ["account", "repository", "pullrequest", "pipeline", "webhook"]
CHECKED = [
    "read:user:bitbucket",
    "read:workspace:bitbucket",
    "read:repository:bitbucket",
    "read:pullrequest:bitbucket",
    "read:pipeline:bitbucket",
    "read:webhook:bitbucket",
]
# No question can tell whether it may write: that is said when a webhook is made.
GRANULAR = [*CHECKED, "write:webhook:bitbucket", "delete:webhook:bitbucket"]
STREAMS = (
    "repositories",
    "people",
    "pull_requests",
    "pull_request_activity",
    "pull_request_comments",
    "pipelines",
    "pipeline_steps",
    "deployments",
    "commits",
)


def result(finding: Finding, name: str) -> CheckResult:
    return next(check for check in finding.checks if check.name == name)


def named_scopes(finding: Finding) -> set[str]:
    return {scope for check in finding.checks for scope in check.missing_scopes}


def test_with_exactly_the_listed_scopes_every_check_passes(
    cloud: Connector, sandbox: Sandbox
) -> None:
    for method, entry in (
        ("access_token", token_entry(sandbox.tokens.workspace("acme", CLASSIC))),
        ("api_token", api_token_entry(sandbox.tokens.api_token("ada@example.com", GRANULAR))),
    ):
        listed = [scope.name for scope in cloud.method(method).scopes]
        finding = cloud.verify(entry)

        assert finding.outcome == "ok"
        assert {check.outcome for check in finding.checks} == {"ok"}
        assert finding.streams_available == STREAMS
        assert set(listed) == set(CLASSIC if method == "access_token" else GRANULAR)


def test_a_refused_api_token_names_the_e_mail_to_check(cloud: Connector, sandbox: Sandbox) -> None:
    token = sandbox.tokens.api_token("ada@example.com", GRANULAR)

    finding = cloud.verify(api_token_entry(token, username="wrong@example.com"))

    assert finding.outcome == "invalid_credentials"
    assert "not accept this as an API token of wrong@example.com (401)" in finding.message
    assert "Check the e-mail first" in finding.message


def test_several_missing_scopes_are_named_as_several(cloud: Connector, sandbox: Sandbox) -> None:
    token = sandbox.tokens.workspace("acme", ["account", "repository"])

    finding = cloud.verify(token_entry(token))

    assert "The secret lacks the scopes pullrequest and pipeline." in finding.message


@pytest.mark.parametrize("scope", ["account", "pullrequest", "pipeline", "webhook"])
def test_a_missing_classic_scope_is_named(scope: str, cloud: Connector, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme", CLASSIC)
    sandbox.change.remove_scope(secret, scope)

    finding = cloud.verify(token_entry(secret))

    assert named_scopes(finding) == {scope}
    assert finding.outcome == ("ok" if scope == "webhook" else "invalid_permissions")
    assert finding.missing_scopes == (() if scope == "webhook" else (scope,))


@pytest.mark.parametrize("scope", CHECKED)
def test_a_missing_granular_scope_is_named(scope: str, cloud: Connector, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.api_token("ada@example.com", GRANULAR)
    sandbox.change.remove_scope(secret, scope)

    finding = cloud.verify(api_token_entry(secret))

    assert named_scopes(finding) == {scope}


def test_without_one_stream_the_others_go_on(cloud: Connector, sandbox: Sandbox) -> None:
    scopes = ["account", "repository", "pipeline"]

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme", scopes)))

    assert finding.outcome == "invalid_permissions"
    assert finding.streams_available == (
        "repositories",
        "people",
        "pipelines",
        "pipeline_steps",
        "deployments",
        "commits",
    )
    again = cloud.verify(
        token_entry(sandbox.tokens.workspace("acme", scopes)), streams=finding.streams_available
    )
    assert again.outcome == "ok"


def test_who_and_what_is_learned(cloud: Connector, sandbox: Sandbox) -> None:
    ada = sandbox.world.persona("ada")

    finding = cloud.verify(api_token_entry(sandbox.tokens.api_token("ada@example.com")))

    assert finding.identity.connected == sandbox.world.workspaces["acme"].uuid
    assert finding.identity.connected_name == "acme"
    assert finding.identity.acts_as == ada.uuid
    assert finding.identity.acts_as_name == ada.display_name
    assert "read:repository:bitbucket" in finding.identity.scopes


def test_who_knows_an_email_spends_nothing_of_its_account(
    cloud: Connector, sandbox: Sandbox, settings: Settings
) -> None:
    settings.QUOTA_LIMIT = 60
    for number in range(10):
        cloud.verify(api_token_entry(f"ATATT-wrong-{number}"))

    entry = api_token_entry(sandbox.tokens.api_token("ada@example.com"))
    finding = cloud.verify(entry)

    assert finding.outcome == "ok"
    proven = api_token_entry("ATATT-another", acts_as=finding.identity.acts_as)
    assert finding.identity.quota_subject == cloud.quota_subject(proven)


@pytest.mark.parametrize("workspace", ["no-such-place", "globex"])
def test_a_workspace_that_is_not_to_be_seen(
    workspace: str, cloud: Connector, sandbox: Sandbox
) -> None:
    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme"), workspace))

    assert finding.outcome == "workspace_not_found"
    assert finding.streams_available == ()


def test_an_empty_list_is_no_success(cloud: Connector, sandbox: Sandbox) -> None:
    finding = cloud.verify(token_entry(sandbox.tokens.workspace("empty"), "empty"))

    assert finding.outcome == "no_resources"
    assert result(finding, "repositories").status == 200
    assert result(finding, "pipelines").state == "skipped"


@pytest.mark.parametrize(
    "entry",
    [
        token_entry("ATCTT-never-made-by-anybody"),
        api_token_entry("ATATT-never-made-by-anybody"),
    ],
)
def test_a_refused_secret(entry: Entry, cloud: Connector, sandbox: Sandbox) -> None:
    finding = cloud.verify(entry)

    assert finding.outcome == "invalid_credentials"
    assert result(finding, "workspace").status == 401


def test_a_user_name_instead_of_the_email_is_refused(cloud: Connector, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.api_token("ada@example.com")

    assert cloud.verify(api_token_entry(secret, "ada")).outcome == "invalid_credentials"


def test_an_app_password_is_explained_without_asking(cloud: Connector, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.app_password("ada@example.com")
    by_shape = token_entry(secret)
    by_method = Entry(
        method="app_password",
        settings={"workspace": "acme", "username": "ada"},
        secrets={"password": "anything"},
    )

    for entry in (by_shape, by_method):
        finding = cloud.verify(entry)
        assert finding.outcome == "invalid_credentials"
        assert "2026-07-28" in finding.message
        assert "API token" in finding.message
    assert sandbox.requests == []


def test_the_repository_that_changed_last_is_asked(cloud: Connector, sandbox: Sandbox) -> None:
    sandbox.change.pull_request("acme", "web", 1, title="Newest")
    newest = max(
        sandbox.world.workspaces["acme"].repositories.values(), key=lambda one: one.updated_on
    )

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    assert f"/repositories/acme/{newest.slug}/" in result(finding, "pull_requests").path


def test_a_repository_that_refuses_is_passed_over_for_two_more(
    cloud: Connector, sandbox: Sandbox
) -> None:
    entry = token_entry(sandbox.tokens.workspace("acme"))
    order = [one.name.partition("/")[2] for one in cloud.verify(entry).repositories]
    for slug, status in zip(order[:2], (403, 404), strict=True):
        sandbox.change.refuse_repository("acme", slug, status=status)

    finding = cloud.verify(entry)

    assert finding.outcome == "ok"
    assert f"/{order[2]}/" in result(finding, "pipelines").path


@pytest.mark.parametrize("scopes", [None, ["account", "pullrequest:write", "pipeline:write"]])
def test_repositories_that_all_refuse_are_told(
    scopes: list[str] | None, cloud: Connector, sandbox: Sandbox
) -> None:
    entry = token_entry(sandbox.tokens.workspace("acme", scopes))
    for slug in sandbox.world.workspaces["acme"].repositories:
        sandbox.change.refuse_repository("acme", slug, status=403)

    finding = cloud.verify(entry)

    assert finding.outcome == "invalid_permissions"
    assert finding.missing_scopes == ()
    assert "role" in finding.message


def test_a_repository_token_is_tried_on_its_repository(cloud: Connector, sandbox: Sandbox) -> None:
    scopes = ["repository", "pullrequest", "pipeline"]
    entry = token_entry(sandbox.tokens.repository("acme", "api", scopes), repository="api")

    finding = cloud.verify(entry, streams=["repositories", "pull_requests", "pipelines"])

    assert finding.outcome == "ok"
    assert result(finding, "repositories").path == "/repositories/acme/api"
    assert [one.name for one in finding.repositories] == ["acme/api"]


def test_the_whole_list_of_repositories_is_read_when_it_is_wanted(
    cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.reset(scale=Scale(repositories=230, pull_requests=1, pipelines=1, people=3))
    entry = token_entry(sandbox.tokens.workspace("acme"))

    whole, part = cloud.verify(entry, whole_list=True), cloud.verify(entry)

    assert (len(whole.repositories), whole.is_whole) == (230, True)
    assert (len(part.repositories), part.is_whole) == (100, False)


def test_each_change_of_a_check_is_told_in_the_callers_thread(
    cloud: Connector, sandbox: Sandbox
) -> None:
    import threading

    told: list[tuple[str, str, str]] = []

    def note(check: CheckResult) -> None:
        told.append((check.name, check.state, threading.current_thread().name))

    cloud.verify(token_entry(sandbox.tokens.workspace("acme")), on_result=note)

    assert {thread for _, _, thread in told} == {threading.current_thread().name}
    states = [state for name, state, _ in told if name == "pipelines"]
    assert states == ["asking", "done"]


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("html", "unexpected_response"),
        ("truncated", "unexpected_response"),
        ("wrong_type", "unexpected_response"),
        ("555", "unreachable"),
        ("410", "unexpected_response"),
        ("429", "provider_rate_limited"),
        ("429_retry_after", "provider_rate_limited"),
        ("cut", "unreachable"),
    ],
)
def test_trouble_is_told_as_what_it_is(
    kind: str, outcome: str, cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.faults.add("/pipelines", kind=kind)

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    assert finding.outcome == outcome
    assert result(finding, "pipelines").outcome == outcome
    assert (finding.retry_after is not None) is (outcome == "provider_rate_limited")


def test_an_empty_quota_of_our_own_is_told_without_asking(
    cloud: Connector, sandbox: Sandbox, settings: Settings
) -> None:
    settings.REQUEST_LEDGER = "tests.connections.connectors.test_checks.empty_ledger"

    finding = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    assert finding.outcome == "provider_rate_limited"
    assert finding.retry_after is not None
    assert finding.retry_after > 200
    assert sandbox.requests == []


def empty_ledger() -> object:
    from connections.transport.errors import QuotaExhausted
    from tests.connections.ledgers import CountingLedger

    resume_at = now() + timedelta(minutes=5)
    return CountingLedger(stop=QuotaExhausted("Nothing is left.", resume_at=resume_at))


def test_checks_are_not_run_inside_a_transaction(cloud: Connector, sandbox: Sandbox) -> None:
    with transaction.atomic(), pytest.raises(RequestInTransaction):
        cloud.verify(token_entry(sandbox.tokens.workspace("acme")))


def test_nothing_that_is_told_holds_the_secret(cloud: Connector, sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme", ["account"])
    entry = token_entry(secret)
    sandbox.faults.add("/repositories", status=500, body=f"<p>{secret}</p>")

    finding = cloud.verify(entry)

    assert secret not in repr(finding)
    assert secret not in repr(entry)


def test_what_was_not_asked_says_why(cloud: Connector, sandbox: Sandbox) -> None:
    empty = cloud.verify(token_entry(sandbox.tokens.workspace("empty"), workspace="empty"))
    sandbox.faults.add(r"/2.0/repositories", kind="html")
    broken = cloud.verify(token_entry(sandbox.tokens.workspace("acme")))

    assert result(empty, "pipelines").message == "Not asked: there is no repository to ask in."
    assert result(broken, "pipelines").message == "Not asked: no repository could be listed."


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (r"/pullrequests(\?|$)", '{"values": [5]}'),
        (r"/pullrequests(\?|$)", '{"values": {"a": 1}}'),
        (r"/pullrequests(\?|$)", '{"values": [{"id": "../../../user?"}]}'),
        ("/user$", '{"uuid": "%s", "display_name": ["x"]}' % ("u" * 500)),
        ("/workspaces/[^/]*$", '{"uuid": "%s", "slug": "acme"}' % ("w" * 500)),
    ],
)
def test_strange_answers_end_as_findings(
    path: str, body: str, cloud: Connector, sandbox: Sandbox
) -> None:
    sandbox.faults.add(path, body=body)
    secret = sandbox.tokens.api_token("ada@example.com", GRANULAR)

    finding = cloud.verify(api_token_entry(secret))

    assert max(map(len, (finding.identity.connected, finding.identity.acts_as))) <= 100
    assert "user?" not in result(finding, "pull_request_comments").path


@pytest.mark.parametrize("streams", [(), ("pipelines",)])
def test_streams_that_do_not_come_unasked_are_checked_only_where_wanted(
    streams: tuple[str, ...], cloud: Connector, sandbox: Sandbox
) -> None:
    entry = token_entry(sandbox.tokens.workspace("acme"))

    plain = cloud.verify(entry, streams=streams)
    wanted = cloud.verify(entry, streams=["pipelines", "pipeline_steps", "deployments", "commits"])

    assert not {"pipeline_steps", "deployments", "commits"} & {check.name for check in plain.checks}
    assert result(wanted, "deployments").outcome == result(wanted, "commits").outcome == "ok"
    steps = result(wanted, "pipeline_steps")
    assert (steps.outcome, steps.status) == ("ok", 200)
    assert "/pipelines/%7B" in steps.path


def test_steps_need_the_scope_of_pipelines(cloud: Connector, sandbox: Sandbox) -> None:
    token = sandbox.tokens.workspace("acme", ["account", "repository", "pullrequest"])

    finding = cloud.verify(token_entry(token), streams=["pipelines", "pipeline_steps"])

    assert finding.missing_scopes == ("pipeline",)
    assert result(finding, "pipeline_steps").missing_scopes == ["pipeline"]
