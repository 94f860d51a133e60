"""Every way in, through every trouble and without each scope: one outcome, and nothing stored."""

import json
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from connections.connectors import connectors
from connections.connectors.base import Scope
from connections.models import Connection, Credential, Draft, Verification
from connections.services.drafts import finish_draft
from connections.services.errors import NotVerified
from connections.services.verification import begin_draft_verification, judge_draft, verify_draft
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.connections.battery.troubles import TROUBLES, Trouble
from tests.connections.battery.ways import WAYS, Way
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
ways = pytest.mark.parametrize("way", WAYS, ids=str)


def checked(draft: Draft) -> Verification:
    """The verification of a draft, run to its end."""
    return verify_draft(begin_draft_verification(draft=draft, send=False))


def check_nothing_is_stored(
    draft: Draft, proof: Verification, secret: str, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    """A draft is left, which cannot be finished; the secret is nowhere but in it, sealed."""
    with pytest.raises(NotVerified) as caught:
        finish_draft(draft=draft, actor=Actor.for_user(owner))
    assert not Connection.objects.filter(connector=draft.connector).exists()
    assert not Credential.objects.exists()
    draft.refresh_from_db()
    told = [proof.checks, draft.found, draft.settings, str(caught.value), caplog.text]
    told += list(AuditEvent.objects.values_list("changes", "target"))
    assert secret not in json.dumps(told, default=str)


def test_every_way_is_listed() -> None:
    listed = {(way.connector, way.method, way.kind) for way in WAYS}
    declared = {
        (connector.key, method.key, kind)
        for connector in connectors().values()
        for method in connector.methods
        if not method.deprecated
        for kind in ([kind.key for kind in method.kinds] or [""])
    }

    assert declared == listed


@ways
@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_a_trouble_is_called_by_its_name_and_nothing_is_stored(
    way: Way,
    trouble: Trouble,
    entered: Organization,
    owner: User,
    sandbox: Sandbox,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = way.make(sandbox, [scope.name for scope in way.scopes])
    draft = way.draft(entered, owner, secret, sandbox, parent=way.parent(entered, sandbox))

    with trouble.play(sandbox, settings, tmp_path):
        proof = checked(draft)

    if way.kind == "repository" and trouble.name == "an empty list":  # it asks for no list
        assert proof.outcome == "unexpected_response"
    else:
        assert proof.outcome == trouble.outcome
    failed = [check for check in proof.checks if check["outcome"] not in ("", "ok")]
    assert all(check["message"] and check["mended_by"] for check in failed)
    assert all(secret not in check["curl"] for check in proof.checks)
    assert "expired" not in json.dumps(failed)
    check_nothing_is_stored(draft, proof, secret, owner, caplog)


@ways
def test_with_exactly_the_listed_scopes_every_check_passes(
    way: Way, entered: Organization, owner: User, sandbox: Sandbox
) -> None:
    secret = way.make(sandbox, [scope.name for scope in way.scopes])
    draft = way.draft(entered, owner, secret, sandbox, parent=way.parent(entered, sandbox))

    proof = checked(draft)

    asked = [check for check in proof.checks if not check["never"]]
    assert {check["outcome"] for check in asked} == {"ok"}
    assert {check["stream"] for check in proof.checks if check["never"]} == set(way.never)
    connection = finish_draft(draft=draft, actor=Actor.for_user(owner))
    assert connection.status == Connection.Status.AVAILABLE
    assert connection.credentials.get().kind == way.kind


def is_found(scope: Scope, way: Way) -> bool:
    """Whether a check can find that it is missing, and it alone."""
    return not (scope.writes or is_implied(scope, way))


def is_implied(scope: Scope, way: Way) -> bool:
    """Of the classic scopes `pullrequest` brings `repository`, so that nobody can lack it alone."""
    return scope.name == "repository" and "pullrequest" in {one.name for one in way.scopes}


@pytest.mark.parametrize(
    ("way", "scope"),
    [(way, scope.name) for way in WAYS for scope in way.scopes if is_found(scope, way)],
    ids=lambda value: str(value),
)
def test_a_missing_scope_is_the_only_one_named(
    way: Way,
    scope: str,
    entered: Organization,
    owner: User,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = [one.name for one in way.scopes]
    secret = way.make(sandbox, [name for name in names if name != scope])
    draft = way.draft(entered, owner, secret, sandbox, parent=way.parent(entered, sandbox))

    proof = checked(draft)

    assert {name for check in proof.checks for name in check["missing_scopes"]} == {scope}
    if next(one for one in way.scopes if one.name == scope).optional:
        assert proof.outcome == "ok"
        return
    assert proof.outcome == "invalid_permissions"
    assert judge_draft(draft, proof).missing_scopes == (scope,)
    check_nothing_is_stored(draft, proof, secret, owner, caplog)
