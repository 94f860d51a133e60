"""An organization's own OAuth consumer: proved, encrypted, used for its consents alone."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.connectors.schema import InvalidFields
from connections.models import Credential, Draft, Grant, OAuthConsumer
from connections.services import due
from connections.services.connections import delete_connection
from connections.services.consumers import (
    connections_through,
    has_consumer,
    remove_consumer,
    set_consumer,
)
from connections.services.grants import access_token
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization, User
from tests.connections.conftest import CALLBACK
from tests.connections.services.test_consent import authorize, begin, connect
from tests.factories import OrganizationFactory
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]
SECRET = "the-secret-of-our-own"
SCOPES = ["account", "repository", "pullrequest", "pipeline"]


@pytest.fixture
def own(sandbox: Sandbox, entered: Organization, actor: Actor) -> OAuthConsumer:
    """A consumer that the organization set."""
    sandbox.consumers.add("our-own", SECRET, CALLBACK, SCOPES)
    return store(entered, actor)


def store(organization: Organization, actor: Actor, secret: str = SECRET) -> OAuthConsumer:
    return set_consumer(
        organization=organization,
        connector="bitbucket_cloud",
        client_id="our-own",
        client_secret=secret,
        by=actor,
    )


def client_id(address: str) -> str:
    return parse_qs(urlsplit(address).query)["client_id"][0]


def test_its_consents_go_through_it_and_are_counted_apart(
    own: OAuthConsumer, draft: Draft, owner: User, actor: Actor
) -> None:
    assert client_id(begin(draft, owner)) == "our-own"

    connect(draft, owner, actor)

    grant, credential = Grant.objects.get(), Credential.objects.get()
    assert grant.consumer == "our-own"
    assert connections_through(own) == ["acme"]
    shared = connector_subject("tests")
    assert credential.quota_subject == connector_subject("our-own") != shared


def connector_subject(consumer: str) -> str:
    from connections.connectors import connector
    from connections.connectors.base import Entry

    entry = Entry(method="oauth2", settings={"consumer": consumer}, secrets={"access_token": "x"})
    return connector("bitbucket_cloud").quota_subject(entry)


def test_others_do_not_ask_through_it(
    own: OAuthConsumer, settings: Settings, organization: Organization
) -> None:
    settings.BITBUCKET_OAUTH_CLIENT_ID = ""

    assert has_consumer(organization.pk, "bitbucket_cloud")
    assert not has_consumer(OrganizationFactory.create().pk, "bitbucket_cloud")


def test_what_was_given_before_is_renewed_by_the_one_that_asked(
    own: OAuthConsumer, draft: Draft, owner: User, actor: Actor, sandbox: Sandbox
) -> None:
    connect(draft, owner, actor)

    remove_consumer(consumer=own, by=actor)
    Grant.objects.update(expires_at=now() + timedelta(minutes=5))
    before = sandbox.consumers.refreshes

    assert access_token(Grant.objects.get())
    assert sandbox.consumers.refreshes == before + 1
    assert Grant.objects.get().ended_at is None


def test_a_removed_one_is_forgotten_with_the_last_that_needs_it(
    own: OAuthConsumer, draft: Draft, owner: User, actor: Actor
) -> None:
    connection = connect(draft, owner, actor)
    remove_consumer(consumer=own, by=actor)
    due.erase_expired_drafts()
    assert OAuthConsumer.objects.exists()

    delete_connection(connection=connection, by=actor)
    due.erase_expired_drafts()

    assert not OAuthConsumer.objects.exists()


@pytest.mark.parametrize(
    ("client_id", "client_secret", "field"),
    [
        ("our-own", "wrong", "client_secret"),
        ("unknown", SECRET, "client_secret"),
        ("with:colon", SECRET, "client_id"),
        ("", SECRET, "client_id"),
        ("our-own", "two words", "client_secret"),
        ("x" * 101, SECRET, "client_id"),
    ],
)
def test_what_bitbucket_does_not_know_is_not_stored(
    client_id: str,
    client_secret: str,
    field: str,
    sandbox: Sandbox,
    entered: Organization,
    actor: Actor,
) -> None:
    sandbox.consumers.add("our-own", SECRET, CALLBACK, ["account"])

    with pytest.raises(InvalidFields) as caught:
        set_consumer(
            organization=entered,
            connector="bitbucket_cloud",
            client_id=client_id,
            client_secret=client_secret,
            by=actor,
        )

    assert list(caught.value.fields) == [field]
    assert not OAuthConsumer.objects.exists()


def test_its_secret_is_encrypted_and_told_to_nobody(own: OAuthConsumer) -> None:
    row = OAuthConsumer.objects.values().get()

    assert SECRET not in str(row)
    assert SECRET not in str(list(AuditEvent.objects.values()))
    assert SECRET not in repr(OAuthConsumer.objects.get().secrets)


def test_another_one_takes_over_and_the_first_stays_while_it_is_needed(
    own: OAuthConsumer,
    draft: Draft,
    owner: User,
    actor: Actor,
    sandbox: Sandbox,
    entered: Organization,
) -> None:
    authorize(draft, owner, actor)
    sandbox.consumers.add("second", "s", CALLBACK, ["account"])

    set_consumer(
        organization=entered,
        connector="bitbucket_cloud",
        client_id="second",
        client_secret="s",
        by=actor,
    )

    assert client_id(begin(draft, owner)) == "second"
    assert OAuthConsumer.objects.get(client_id="our-own").retired_at is not None
    store(entered, actor)
    assert client_id(begin(draft, owner)) == "our-own"
    assert not OAuthConsumer.objects.filter(client_id="second").exists()
