"""Tokens of authorizations that nothing needs any more are erased."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from connections.models import Credential, Draft, Grant
from connections.services import due
from connections.services.connections import delete_connection
from connections.services.drafts import discard_draft, fill_draft, start_draft, use_grant
from tenants.actor import Actor
from tenants.models import Organization, User
from tests.connections.consenting import consent_at
from tests.connections.services.test_consent import authorize, begin, complete, connect, renewal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]


def authorized(draft: Draft, owner: User) -> Grant:
    """What the draft holds after a consent."""
    complete(consent_at(begin(draft, owner), "ada"), owner)
    draft.refresh_from_db()
    assert draft.grant is not None
    return draft.grant


def with_tokens() -> list[int]:
    return list(Grant.objects.filter(secrets__isnull=False).values_list("pk", flat=True))


def test_tokens_of_abandoned_drafts_are_erased(
    draft: Draft, owner: User, actor: Actor, entered: Organization
) -> None:
    complete(consent_at(begin(draft, owner), "ada"), owner)
    Draft.objects.update(expires_at=now())

    due.erase_expired_drafts()

    assert Grant.objects.get().secrets is None
    draft.refresh_from_db()
    assert draft.grant is None
    second = start_draft(organization=entered, connector="bitbucket_cloud", by=owner, actor=actor)
    complete(consent_at(begin(second, owner), "ada"), owner)
    second.refresh_from_db()
    discard_draft(draft=second, actor=actor)
    assert [grant.secrets for grant in Grant.objects.all()] == [None]  # one account, one row


def test_a_second_consent_leaves_no_tokens_of_the_first(draft: Draft, owner: User) -> None:
    authorized(draft, owner)

    second = authorized(draft, owner)

    assert with_tokens() == [second.pk]


def test_a_typed_secret_leaves_no_tokens_of_a_consent(
    draft: Draft, owner: User, actor: Actor, secret: str
) -> None:
    authorized(draft, owner)

    fill_draft(
        draft=draft,
        method="access_token",
        settings={"workspace": "acme"},
        secrets={"api_token": secret},
        actor=actor,
    )

    assert with_tokens() == []


def test_a_renewal_leaves_no_tokens_of_the_old_authorization(
    draft: Draft, owner: User, actor: Actor
) -> None:
    connection = connect(draft, owner, actor)

    complete(consent_at(renewal(connection, owner), "ada"), owner)

    assert with_tokens() == [Credential.objects.get().grant_id]


def test_a_deleted_connection_leaves_no_tokens_at_all(
    draft: Draft, owner: User, actor: Actor, entered: Organization
) -> None:
    connection = connect(draft, owner, actor)
    renewing = start_draft(
        organization=entered,
        connector="bitbucket_cloud",
        by=owner,
        actor=actor,
        connection=connection,
    )
    authorized_elsewhere = Grant.objects.create(
        organization=entered,
        connector="bitbucket_cloud",
        consumer="tests",
        workspaces=Credential.objects.get().grant.workspaces,
        secrets={"access_token": "a", "refresh_token": "r"},
    )
    use_grant(draft=renewing, grant=authorized_elsewhere, actor=actor)

    delete_connection(connection=connection, by=actor)

    assert with_tokens() == []


def test_tokens_that_nothing_names_are_erased(draft: Draft, owner: User) -> None:
    authorized(draft, owner)
    Draft.objects.all().delete()

    due.erase_expired_drafts()

    assert with_tokens() == []


def test_a_ticked_authorization_waits_thirty_days_for_the_next_connection(
    draft: Draft, owner: User, actor: Actor
) -> None:
    grant = authorize(draft, owner, actor)
    discard_draft(draft=draft, actor=actor)

    due.erase_expired_drafts()
    grant.refresh_from_db()
    assert grant.secrets is not None
    assert grant.unused_since is not None
    Grant.objects.update(unused_since=now() - timedelta(days=30, minutes=1))
    due.erase_expired_drafts()

    assert with_tokens() == []


def test_an_authorization_that_is_used_again_does_not_run_out(
    draft: Draft, owner: User, actor: Actor
) -> None:
    connect(draft, owner, actor)
    Grant.objects.update(unused_since=now() - timedelta(days=60))

    due.erase_expired_drafts()

    assert Grant.objects.get().unused_since is None
    assert with_tokens() == [Grant.objects.get().pk]
