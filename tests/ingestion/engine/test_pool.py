"""Several credentials of one connection, side by side: each asks for what it sees."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connections.models import Credential
from connections.services.changing import update_credential
from connections.services.entries import entry_for
from connections.services.verification import verify_credential
from connections.transport.errors import RateLimited
from connections.transport.ledger import Purpose
from ingestion import engine
from ingestion.clock import Clock
from ingestion.engine.pool import About, Member, Pool
from ingestion.engine.seat import Seat
from ingestion.models import (
    Coverage,
    PipelineRun,
    PullRequest,
    Repository,
    RepositoryAccess,
    State,
    Sync,
)
from ingestion.quota import forget_lots
from ingestion.services.syncs import start_sync
from tenants.actor import Actor
from tenants.models import AuditEvent
from tests.factories import CredentialFactory
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=8, pipelines=4, people=3)


@pytest.fixture
def add(copied: Copied) -> Callable[..., Credential]:
    """Adds a credential to the connection, or exchanges its first."""

    def make(token: str, **values: Any) -> Credential:
        secrets = {"password" if token.startswith("ATATT") else "api_token": token}
        return CredentialFactory.create(connection=copied.connection, secrets=secrets, **values)

    return make


@pytest.fixture
def apart(
    copied: Copied, sandbox: Sandbox, add: Callable[..., Credential]
) -> dict[str, Credential]:
    """Two repository tokens for two repositories, and no other credential."""
    copied.connection.selection["streams"] = [
        "repositories",
        "pull_requests",
        "pull_request_activity",
        "pull_request_comments",
        "pipelines",
    ]
    copied.connection.save()
    copied.credential.delete()
    return {
        slug: add(sandbox.tokens.repository("acme", slug), settings={"repository": slug})
        for slug in sandbox.world.workspaces["acme"].repositories
    }


def member_of(copied: Copied) -> Member:
    entry = entry_for(copied.credential, purpose=Purpose.PERSON)
    return Member(credential=copied.credential, entry=entry, subject="a-subject")


def seen_by(credential: Credential) -> set[str]:
    rows = RepositoryAccess.objects.filter(credential=credential, refused_at=None)
    return set(rows.exclude(seen_at=None).values_list("repository__slug", flat=True))


def test_two_repository_tokens_copy_two_repositories(
    copied: Copied, apart: dict[str, Credential], sandbox: Sandbox
) -> None:
    first, second = copied.sync(), copied.sync()

    assert (first.state, second.state) == (State.SUCCEEDED, State.SUCCEEDED)
    assert PullRequest.objects.count() == 16
    assert PipelineRun.objects.count() == 8
    assert not Repository.objects.exclude(removed_at=None).exists()
    assert {slug: seen_by(row) for slug, row in apart.items()} == {slug: {slug} for slug in apart}
    assert sandbox.count(status=404) == 0


def test_the_use_of_each_secret_is_noted_once_a_sync(
    copied: Copied, apart: dict[str, Credential]
) -> None:
    sync = copied.sync()

    used = AuditEvent.objects.filter(event_type="credentials.used")
    assert {event.target["id"] for event in used} == {row.pk for row in apart.values()}
    assert {event.changes["for"] for event in used} == {f"sync {sync.pk}"}
    assert used.count() == 2
    assert sum(event.changes["requests"] for event in used) == sync.requests


def test_what_only_a_deleted_credential_saw_is_not_gone(
    copied: Copied, apart: dict[str, Credential]
) -> None:
    copied.sync()
    slug, gone = next(iter(apart.items()))
    Credential.objects.filter(pk=gone.pk).update(secrets=None, deleted_at=now())

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert not Repository.objects.exclude(removed_at=None).exists()
    gap = Coverage.objects.get(repository__slug=slug, stream="pull_requests").gap
    assert gap
    assert gap["code"] == "not_found"


def test_what_everybody_who_saw_it_lacks_is_gone(
    copied: Copied, apart: dict[str, Credential], sandbox: Sandbox, add: Callable[..., Credential]
) -> None:
    add(sandbox.tokens.workspace("acme"))
    copied.sync()
    slug, own = next(iter(apart.items()))
    sandbox.change.delete_repository("acme", slug)

    own.status = Credential.Status.INVALID
    own.save()
    copied.sync()

    assert Repository.objects.get(slug=slug).removed_at


def test_refused_secret_is_set_aside_while_another_works(
    copied: Copied, sandbox: Sandbox, add: Callable[..., Credential]
) -> None:
    add(sandbox.tokens.workspace("acme"))
    sandbox.tokens.find(copied.token).revoked = True

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    copied.credential.refresh_from_db()
    copied.connection.refresh_from_db()
    assert copied.credential.status == Credential.Status.INVALID
    assert copied.connection.status == "available"


def test_scope_that_one_lacks_another_has(
    copied: Copied, sandbox: Sandbox, add: Callable[..., Credential]
) -> None:
    sandbox.tokens.find(copied.token).scopes = ["repository", "account", "pullrequest"]
    add(sandbox.tokens.workspace("acme"))

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert PipelineRun.objects.count() == 8
    assert sandbox.count("/pipelines", status=403) <= 2  # both repositories may ask at once
    copied.credential.refresh_from_db()
    assert copied.credential.missing_scopes == ["pipeline"]


def test_waits_for_the_quota_of_one_when_all_else_is_done(
    copied: Copied, apart: dict[str, Credential], sandbox: Sandbox, settings: Any
) -> None:
    copied.sync()
    slug, full = next(iter(apart.items()))
    secret = full.secrets["api_token"] if full.secrets else ""
    sandbox.change.new_pull_request("acme", slug)
    other = next(one for one in apart if one != slug)
    sandbox.change.new_pull_request("acme", other)
    sandbox.quota.fill(secret)

    sync = copied.start()
    state = engine.run_slice(sync.pk)

    sync.refresh_from_db()
    assert (state, sync.reason) == (State.WAITING, "quota")
    assert PullRequest.objects.filter(repository__slug=other).count() == 9
    assert PullRequest.objects.filter(repository__slug=slug).count() == 8


@pytest.mark.parametrize("tokens", [1, 5])
@pytest.mark.parametrize("scale", [Scale(repositories=40, pull_requests=1, people=1)])
def test_five_tokens_ask_five_times_as_much(
    copied: Copied,
    sandbox: Sandbox,
    settings: Any,
    add: Callable[..., Credential],
    tokens: int,
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = 20  # 19 of them for what a person started
    for _ in range(tokens - 1):
        add(sandbox.tokens.workspace("acme"))
    forget_lots()

    sync = copied.start()
    engine.run_slice(sync.pk)

    sync.refresh_from_db()
    assert (sync.state, sync.requests) == (State.WAITING, 19 * tokens)
    assert sandbox.quota.refused == 0


@pytest.mark.parametrize("scale", [Scale(repositories=40, pull_requests=1, people=1)])
def test_two_tokens_of_one_account_share_its_window(
    copied: Copied, sandbox: Sandbox, settings: Any, add: Callable[..., Credential]
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = 20
    copied.credential.delete()
    ada = sandbox.world.person_by_email("ada@example.com")
    for _ in range(2):
        add(
            sandbox.tokens.api_token("ada@example.com"),
            method="api_token",
            settings={"username": "ada@example.com"},
            identity=ada.uuid if ada else "",
        )

    sync = copied.start()
    engine.run_slice(sync.pk)

    sync.refresh_from_db()
    assert (sync.state, sync.requests) == (State.WAITING, 19)
    assert sandbox.quota.refused == 0


@pytest.mark.parametrize("scale", [Scale(repositories=40, pull_requests=1, people=1)])
def test_a_check_finds_something_left_while_a_sync_is_at_the_limit(
    copied: Copied, sandbox: Sandbox, settings: Any
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = 100
    sync = start_sync(
        connection=copied.connection, trigger=Sync.Trigger.SCHEDULE, by=Actor.system()
    )

    state = engine.run_slice(sync.pk)
    found = verify_credential(credential=copied.credential)

    assert state == State.WAITING
    assert found.outcome == "ok"
    assert sandbox.quota.refused == 0


def test_secret_that_was_exchanged_is_taken_up_by_a_slice_that_runs(
    copied: Copied, sandbox: Sandbox
) -> None:
    seat = Seat(Pool("bitbucket_cloud", [member_of(copied)]))
    new = sandbox.tokens.workspace("acme", label="new")
    update_credential(
        credential=Credential.objects.get(pk=copied.credential.pk),
        secrets={"api_token": new},
        by=Actor.system(),
    )
    sandbox.change.revoke(copied.token)

    pages = list(seat.about(About("people")).people())
    seat.close()

    assert pages[0].rows
    assert sandbox.count(status=401) == 1


class Hurrying(Clock):
    """A clock on which some time passes between any two looks."""

    def now(self) -> datetime:
        self._read += timedelta(seconds=0.6)
        return self._read


def test_pause_that_ends_while_it_is_looked_at_is_still_a_pause(copied: Copied) -> None:
    member, about = member_of(copied), About("pull_requests", "a-repository")
    pool, pause = Pool("bitbucket_cloud", [member], Hurrying()), RateLimited("Wait", retry_after=1)
    pool.hear(member, about, pause)

    with pytest.raises(RateLimited):
        pool.choose(about, {})


def test_who_was_told_to_wait_is_not_asked_the_same_again(copied: Copied) -> None:
    member, about = member_of(copied), About("pull_requests", "a-repository")
    pool, pause = Pool("bitbucket_cloud", [member], Hurrying()), RateLimited("Wait", retry_after=1)
    pool.hear(member, about, pause)
    while pool.is_out:  # until the pause is over
        pass

    with pytest.raises(RateLimited):
        pool.choose(about, {member.key: pause})
    assert pool.choose(about, {}) == member
