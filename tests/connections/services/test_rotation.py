"""A new secret is verified, compared with the old one, and takes over, here and elsewhere."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connections.models import Connection, Credential, Draft
from connections.selectors import draft_of, rotation_of
from connections.services import rotation
from connections.services.changing import update_credential
from connections.services.creating import create_connection
from connections.services.entering import NewCredential
from connections.services.errors import (
    NotConfirmed,
    NotVerified,
    OtherWorkspace,
    TwinRefused,
    VerificationFailed,
    VersionChanged,
)
from connections.signals import secret_changed
from ingestion.models import RepositoryAccess
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.factories import CredentialFactory, RepositoryFactory
from tests.sandbox import Sandbox, Scale

pytestmark = pytest.mark.django_db


def begin(credential: Credential, secret: str, by: User, **values: Any) -> Draft:
    secrets = {"api_token": secret}
    return rotation.begin_rotation(
        credential=credential,
        settings={},
        secrets=secrets,
        by=by,
        actor=Actor.for_user(by),
        **values,
    )


@pytest.fixture
def fewer(sandbox: Sandbox) -> str:
    """A token that sees only some of the repositories."""
    key = next(iter(sandbox.world.workspaces["acme"].projects))
    return sandbox.tokens.project("acme", key)


@pytest.fixture
def narrow(connection: Connection) -> None:
    """The connection copies what a project token may read."""
    connection.selection = {**connection.selection, "streams": ["repositories", "pull_requests"]}
    connection.save()


def test_new_secret_takes_over(
    credential: Credential, sandbox: Sandbox, owner: User, actor: Actor, secret: str
) -> None:
    new = sandbox.tokens.workspace("acme", label="new")
    before = (credential.secret_hash, credential.version)

    draft = begin(credential, new, owner, label="CI 2027", expiration_date=date(2031, 5, 1))
    credential.refresh_from_db()
    assert (credential.secret_hash, credential.version) == before  # the old one is in use
    rotation.take_over(draft=draft, actor=actor)

    credential.refresh_from_db()
    assert dict(credential.secrets or {}) == {"api_token": new}
    assert credential.version > before[1]
    assert (credential.label, credential.expiration_date) == ("CI 2027", date(2031, 5, 1))
    assert not Draft.objects.exists()
    event = AuditEvent.objects.get(event_type="credentials.rotated")
    assert event.changes == {"secrets": "changed"}
    assert credential.verifications.order_by("-pk").first().outcome == "ok"


def test_what_only_the_old_one_sees_is_confirmed_first(
    credential: Credential, fewer: str, narrow: None, owner: User, actor: Actor
) -> None:
    draft = begin(credential, fewer, owner)

    comparison = rotation.comparison_of(draft)
    with pytest.raises(NotConfirmed, match="fewer"):
        rotation.take_over(draft=draft, actor=actor)
    rotation.take_over(draft=draft, actor=actor, confirmed=True)

    assert comparison.saw is not None
    assert len(comparison.fewer) == comparison.saw - comparison.sees > 0
    event = AuditEvent.objects.get(event_type="credentials.rotated")
    assert event.changes["fewer"] == list(comparison.fewer)


def test_old_one_is_compared_by_what_the_last_sync_saw(
    credential: Credential, sandbox: Sandbox, owner: User, actor: Actor
) -> None:
    gone = RepositoryFactory.create(connection=credential.connection, full_name="acme/of-old")
    RepositoryAccess.objects.create(
        credential=credential,
        repository=gone,
        seen_at=now(),
        organization_id=credential.organization_id,
    )

    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)
    rotation.take_over(draft=draft, actor=actor, confirmed=True)

    access = RepositoryAccess.objects.get()
    assert rotation.Comparison(sees=1, saw=1).asks is False
    assert AuditEvent.objects.get(event_type="credentials.rotated").changes["fewer"]
    assert access.refused_at is not None


def test_list_that_breaks_off_is_not_taken_for_a_shorter_one(
    credential: Credential, sandbox: Sandbox, owner: User, actor: Actor
) -> None:
    sandbox.reset(scale=Scale(repositories=120, pull_requests=1, pipelines=1, people=3))
    credential.connection.identity = sandbox.world.workspaces["acme"].uuid
    credential.connection.save()
    RepositoryAccess.objects.create(
        credential=credential,
        repository=RepositoryFactory.create(connection=credential.connection),
        seen_at=now(),
        organization_id=credential.organization_id,
    )
    sandbox.faults.add(r"/repositories/[^/]+\?.*page=2", status=500)

    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)

    comparison = rotation.comparison_of(draft)
    assert (comparison.sees, comparison.saw, comparison.fewer) == (100, None, ())
    rotation.take_over(draft=draft, actor=actor)
    assert "fewer" not in AuditEvent.objects.get(event_type="credentials.rotated").changes


def test_old_one_that_is_refused_is_not_compared(
    credential: Credential, sandbox: Sandbox, owner: User, secret: str
) -> None:
    sandbox.change.revoke(secret)

    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)

    assert rotation.comparison_of(draft).saw is None


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda tokens: "ATCTTwrong", VerificationFailed),
        (lambda tokens: tokens.workspace("acme", ["repository"]), VerificationFailed),
        (lambda tokens: tokens.workspace("globex"), (OtherWorkspace, VerificationFailed)),
    ],
)
def test_secret_that_does_not_do_leaves_nothing_behind(
    credential: Credential, sandbox: Sandbox, owner: User, make: Any, error: Any
) -> None:
    with pytest.raises(error):
        begin(credential, make(sandbox.tokens), owner)

    assert not Draft.objects.exists()


def test_same_secret_is_exchanged_elsewhere_too(
    credential: Credential, sandbox: Sandbox, owner: User, actor: Actor, secret: str
) -> None:
    twin = CredentialFactory.create(
        connection=credential.connection,
        secrets={"api_token": secret},
        secret_hash=credential.secret_hash,
    )
    other = CredentialFactory.create(
        connection=credential.connection, secret_hash="another", label="other"
    )
    new = sandbox.tokens.workspace("acme", label="new")

    draft = begin(credential, new, owner)
    found = rotation.twins_of(credential)
    rotation.take_over(draft=draft, actor=actor, also=[twin.pk, other.pk])

    assert found == [twin]
    twin.refresh_from_db()
    other.refresh_from_db()
    assert dict(twin.secrets or {}) == {"api_token": new}
    assert dict(other.secrets or {}) != {"api_token": new}
    assert AuditEvent.objects.filter(event_type="credentials.rotated").count() == 2


def test_twin_for_which_it_does_not_do_keeps_both_as_they_were(
    credential: Credential,
    sandbox: Sandbox,
    entered: Organization,
    owner: User,
    actor: Actor,
    secret: str,
) -> None:
    globex = create_connection(
        organization=entered,
        connector="bitbucket_cloud",
        name="Globex",
        settings={"workspace": "globex"},
        credential=NewCredential(secrets={"api_token": sandbox.tokens.workspace("globex")}),
        by=actor,
    ).credential
    assert globex is not None
    Credential.objects.filter(pk=globex.pk).update(secret_hash=credential.secret_hash)
    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)

    with pytest.raises(TwinRefused, match="Globex"):
        rotation.take_over(draft=draft, actor=actor, also=[globex.pk])

    credential.refresh_from_db()
    assert dict(credential.secrets or {}) == {"api_token": secret}
    assert Draft.objects.exists()


@pytest.mark.parametrize("change", [{"secrets": None}, {"secret_hash": "a newer secret"}])
def test_twin_that_changed_meanwhile_keeps_both_as_they_were(
    change: dict[str, Any],
    credential: Credential,
    sandbox: Sandbox,
    owner: User,
    actor: Actor,
    secret: str,
) -> None:
    twin = CredentialFactory.create(
        connection=credential.connection,
        secrets={"api_token": secret},
        secret_hash=credential.secret_hash,
    )
    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)
    gone = {"deleted_at": now()} if change == {"secrets": None} else {}

    def meanwhile(*args: object, **kwargs: object) -> None:
        Credential.objects.filter(pk=twin.pk).update(**change, **gone)

    secret_changed.connect(meanwhile)
    try:
        with pytest.raises(VersionChanged):
            rotation.take_over(draft=draft, actor=actor, also=[twin.pk])
    finally:
        secret_changed.disconnect(meanwhile)

    credential.refresh_from_db()
    assert dict(credential.secrets or {}) == {"api_token": secret}


def test_secret_that_was_exchanged_meanwhile_is_not_overwritten(
    credential: Credential, sandbox: Sandbox, owner: User, actor: Actor
) -> None:
    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)
    third = sandbox.tokens.workspace("acme", label="third")
    update_credential(credential=credential, secrets={"api_token": third}, by=actor)

    with pytest.raises(VersionChanged):
        rotation.take_over(draft=draft, actor=actor)

    credential.refresh_from_db()
    assert dict(credential.secrets or {}) == {"api_token": third}


def test_new_secret_is_forgotten_after_an_hour(
    credential: Credential, sandbox: Sandbox, owner: User, actor: Actor
) -> None:
    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)
    draft.expires_at = now() - timedelta(seconds=1)
    draft.save()

    with pytest.raises(NotVerified, match="60 minutes"):
        rotation.take_over(draft=draft, actor=actor)


def test_only_its_author_sees_it_and_the_wizard_does_not(
    credential: Credential, sandbox: Sandbox, entered: Organization, owner: User
) -> None:
    draft = begin(credential, sandbox.tokens.workspace("acme", label="new"), owner)
    other = User.objects.create_user(email="ben@example.com")

    assert rotation_of(credential, owner, draft.public_id) == draft
    assert rotation_of(credential, other, draft.public_id) is None
    assert draft_of(entered, owner, draft.public_id) is None
