"""The overview: does anything need me?"""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from connections.models import Connection, Draft, Verification
from ingestion.models import State
from tenants.models import Organization, User
from tests.factories import (
    ConnectionFactory,
    CoverageFactory,
    CredentialFactory,
    RepositoryFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import Address, text_of


def complete(connection: Connection, *, age: timedelta) -> Connection:
    """Let a connection be complete up to `age` ago."""
    Connection.objects.filter(pk=connection.pk).update(last_synced_at=now())
    repository = RepositoryFactory.create(connection=connection)
    CoverageFactory.create(repository=repository, complete_as_of=now() - age)
    return connection


def refused(organization: Organization, **values: Any) -> Connection:
    """A connection whose token Bitbucket refuses."""
    return ConnectionFactory.create(
        organization=organization,
        status=Connection.Status.ERROR,
        status_code="invalid_credentials",
        status_message="Bitbucket refused this token (401).",
        schedule={"kind": "every", "minutes": 60},
        **values,
    )


def test_the_headline_counts_what_is_fresh_and_what_needs_somebody(
    member: Client, url: Address, organization: Organization, connection: Connection
) -> None:
    complete(connection, age=timedelta(minutes=4))
    complete(refused(organization, name="Payments"), age=timedelta(hours=9))

    page = text_of(member.get(url("overview")))

    assert "<h1>1 of 2 connections is fresh. One needs you.</h1>" in page
    assert "<title>▲ 1 needs you" in page
    assert "as of <time" in page


def test_fresh_means_younger_than_twice_the_interval(
    member: Client, url: Address, connection: Connection
) -> None:
    complete(connection, age=timedelta(minutes=119))
    assert "The connection is fresh." in text_of(member.get(url("overview")))

    complete(connection, age=timedelta(minutes=121))
    assert "The connection is not fresh." in text_of(member.get(url("overview")))


def test_the_headline_names_the_only_one_that_is_not_paused(
    member: Client, url: Address, organization: Organization, connection: Connection
) -> None:
    paused = ConnectionFactory.create(organization=organization, status="disabled")

    beside_one = text_of(member.get(url("overview")))
    Connection.objects.filter(pk=connection.pk).update(status=paused.status)
    alone = text_of(member.get(url("overview")))

    assert "<h1>Engineering workspace is not fresh. One is paused.</h1>" in beside_one
    assert "<h1>All connections are paused</h1>" in alone


def test_what_is_left_out_makes_nothing_old(
    member: Client, url: Address, connection: Connection
) -> None:
    complete(connection, age=timedelta(minutes=1))
    left_out = RepositoryFactory.create(connection=connection, is_selected=False)
    CoverageFactory.create(repository=left_out, complete_as_of=now() - timedelta(days=9))
    gone = RepositoryFactory.create(connection=connection, removed_at=now())
    CoverageFactory.create(repository=gone, complete_as_of=now() - timedelta(days=9))
    refusing = RepositoryFactory.create(connection=connection)
    CoverageFactory.create(repository=refusing, complete_as_of=None, refusals=3)

    assert "The connection is fresh." in text_of(member.get(url("overview")))


def test_a_problem_says_what_can_wait_and_who_mends_it(
    member: Client, url: Address, organization: Organization
) -> None:
    broken = refused(organization, name="Payments")
    complete(broken, age=timedelta(hours=3))
    SyncFactory.create(
        connection=broken, started_at=now() - timedelta(minutes=6), finished_at=now()
    )
    SyncFactory.create(connection=broken, state=State.FAILED, error={"code": "invalid_credentials"})

    page = text_of(member.get(url("overview")))

    assert "<h2>Payments: Bitbucket refuses the token</h2>" in page
    assert "Since <time" in page
    assert "Nothing is being lost. Data stands at <time" in page
    assert "catches up in about 6 minutes" in page
    assert "You can mend it here." in page
    assert "Rotate a credential" in page


@pytest.mark.parametrize("gone", ["disabled_at", "deleted_at"])
def test_what_is_no_failure_of_a_sync_is_not_as_old_as_one(
    member: Client, url: Address, organization: Organization, gone: str
) -> None:
    moment = now() - timedelta(minutes=1)
    broken = refused(organization, name="Payments", failing_since=now() - timedelta(hours=3))
    Connection.objects.filter(pk=broken.pk).update(status_code="no_credentials")
    CredentialFactory.create(connection=broken, secrets=None, **{gone: moment})
    SyncFactory.create(
        connection=broken,
        state=State.PARTIAL,
        started_at=now() - timedelta(hours=2),
        error={"code": "invalid_permissions", "message": "No."},
    )

    page = text_of(member.get(url("overview")))

    assert f'Since <time datetime="{moment:%Y-%m-%dT%H:%M}' in page


def test_a_failure_of_syncs_is_as_old_as_the_first_of_its_kind(
    member: Client, url: Address, organization: Organization
) -> None:
    broken = refused(organization, name="Payments")
    begun = [now() - timedelta(hours=hours) for hours in (4, 3, 2, 1)]
    codes = ("invalid_permissions", "invalid_credentials", "", "invalid_credentials")
    states = (State.PARTIAL, State.FAILED, State.CANCELLED, State.FAILED)
    for started_at, state, code in zip(begun, states, codes, strict=True):
        error = {"code": code, "message": "No."} if code else None
        SyncFactory.create(connection=broken, state=state, started_at=started_at, error=error)

    page = text_of(member.get(url("overview")))

    assert f'Since <time datetime="{begun[1]:%Y-%m-%dT%H:%M}' in page


def test_one_cause_on_two_connections_is_one_card(
    member: Client, url: Address, organization: Organization
) -> None:
    refused(organization, name="Payments")
    refused(organization, name="Billing")

    page = text_of(member.get(url("overview")))

    assert page.count("needs-you") == 1
    assert "2 connections: Bitbucket refuses the token" in page
    assert "Billing, Payments" in page


def test_a_sync_that_failed_for_good_needs_somebody_and_one_that_waits_does_not(
    member: Client, url: Address, connection: Connection
) -> None:
    error = {"code": "unreachable", "message": "No answer.", "retryable": True}
    SyncFactory.create(
        connection=connection, state=State.FAILED, error={**error, "mended_by": "time"}
    )
    assert "needs you" not in text_of(member.get(url("overview")))

    SyncFactory.create(
        connection=connection,
        state=State.FAILED,
        error={"code": "not_found", "message": "Gone.", "mended_by": "workspace_admin"},
    )
    page = text_of(member.get(url("overview")))
    assert "It needs you." in page
    assert "An administrator of the workspace at Bitbucket can mend it." in page


def test_a_token_that_lacks_a_scope_needs_somebody_unless_another_has_it(
    member: Client, url: Address, organization: Organization
) -> None:
    connection = ConnectionFactory.create(organization=organization, name="Payments")
    CredentialFactory.create(
        connection=connection, status="limited", status_message="It lacks the scope pipeline."
    )

    page = text_of(member.get(url("overview")))
    assert "Payments: a scope or a role is missing" in page
    assert "It lacks the scope pipeline. What needs it stands still" in page
    assert "<title>▲ 1 needs you" in page

    CredentialFactory.create(connection=connection)
    assert "needs you" not in text_of(member.get(url("overview")))


def test_unfinished_connections_are_offered(
    member: Client, url: Address, organization: Organization, owner: User
) -> None:
    ConnectionFactory.create(
        organization=organization,
        name="Billing",
        status=Connection.Status.PENDING,
        created_by_name="API key terraform",
    )
    draft = Draft.objects.create(
        organization=organization,
        connector="bitbucket_cloud",
        name="Mobile",
        by=owner,
        expires_at=now(),
    )
    Verification.objects.create(draft=draft, outcome="invalid_credentials", finished_at=now())

    page = text_of(member.get(url("overview")))

    assert "by API key terraform" in page
    assert "Finish connecting" in page
    assert "<strong>Mobile</strong>: not verified yet." in page


@pytest.mark.parametrize(
    ("values", "is_offered"),
    [
        ({}, False),
        ({"secrets": {"api_token": "ATCTT-not-a-real-one"}}, True),
        ({"settings": {"workspace": "mobile"}}, True),
    ],
)
def test_a_draft_with_nothing_in_it_is_not_offered(
    member: Client,
    url: Address,
    organization: Organization,
    owner: User,
    values: dict[str, Any],
    is_offered: bool,
) -> None:
    Draft.objects.create(
        organization=organization,
        connector="bitbucket_cloud",
        by=owner,
        expires_at=now(),
        **values,
    )

    assert ("Continue</a>" in text_of(member.get(url("overview")))) is is_offered


def test_a_draft_whose_secret_was_refused_is_offered(
    member: Client, url: Address, organization: Organization, owner: User
) -> None:
    draft = Draft.objects.create(
        organization=organization, connector="bitbucket_cloud", by=owner, expires_at=now()
    )
    for _ in range(2):
        Verification.objects.create(draft=draft, outcome="invalid_credentials", finished_at=now())

    assert text_of(member.get(url("overview"))).count("not verified yet") == 1


def test_nobody_else_sees_a_draft(
    viewer: Client, url: Address, organization: Organization, owner: User
) -> None:
    Draft.objects.create(
        organization=organization,
        connector="bitbucket_cloud",
        name="Mobile",
        by=owner,
        expires_at=now(),
    )

    assert "Mobile" not in text_of(viewer.get(url("overview")))


def test_an_empty_organization_sees_three_steps(member: Client, url: Address) -> None:
    page = text_of(member.get(url("overview")))

    assert "Connect your Bitbucket" in page
    assert "<strong>Watch.</strong>" in page


def test_a_viewer_reads_who_can_do_it(
    viewer: Client, url: Address, organization: Organization, owner: User
) -> None:
    refused(organization)

    page = text_of(viewer.get(url("overview")))

    assert "Rotate" not in page
    assert f"An admin can mend it: {owner.name}." in page
    assert "An admin here can mend it." not in page
    assert page.count("Copy link") == 1


def test_what_expires_soon_is_named(member: Client, url: Address, connection: Connection) -> None:
    CredentialFactory.create(
        connection=connection,
        label="CI token",
        expiration_date=(now() + timedelta(days=6)).date(),
    )

    page = text_of(member.get(url("overview")))

    assert "<strong>CI token</strong> of Engineering workspace expires in 6 days" in page


def test_the_last_syncs_stand_as_bars_that_say_a_sentence(
    member: Client, url: Address, connection: Connection
) -> None:
    for _ in range(21):
        SyncFactory.create(connection=connection)
    SyncFactory.create(connection=connection, state=State.FAILED)

    page = text_of(member.get(url("overview")))

    assert page.count('class="fill-good"') == 19
    assert page.count('class="fill-bad"') == 1
    assert 'aria-label="Failed,' in page


def test_rows_of_others_stay_theirs(member: Client, url: Address, foreign: Connection) -> None:
    SyncFactory.create(connection=foreign, state=State.RUNNING, finished_at=None)

    assert "Not yours" not in text_of(member.get(url("overview")))


@pytest.mark.parametrize("many", [2, 30])
def test_the_number_of_statements_does_not_grow(
    member: Client,
    url: Address,
    organization: Organization,
    many: int,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(many):
        made = complete(ConnectionFactory.create(organization=organization), age=timedelta(0))
        CredentialFactory.create(connection=made, quota_subject=f"subject-{made.pk}")
        SyncFactory.create(connection=made)
    SyncFactory.create(connection=made, state=State.RUNNING, finished_at=None)

    with django_assert_max_num_queries(14):
        member.get(url("overview"))
