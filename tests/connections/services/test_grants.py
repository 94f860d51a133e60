"""Authorizations are renewed by one at a time, and no pair of tokens is lost."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from connections.connectors.base import Connector, Entry
from connections.models import Grant
from connections.services.grants import access_token, another_token
from connections.transport.errors import (
    ConsentEnded,
    InvalidCredentials,
    Unavailable,
    Unreachable,
)
from connections.transport.http import RequestInTransaction
from tenants.models import Organization
from tests.connections.conftest import CALLBACK
from tests.connections.consenting import consent_at
from tests.house import wait_until
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]


@pytest.fixture
def grant(organization: Organization, cloud: Connector) -> Grant:
    """An authorization of Ada that was just given."""
    dance = cloud.authorizations
    assert dance is not None
    back = consent_at(dance.authorize_url(state="s", redirect_uri=CALLBACK), "ada")
    tokens = dance.exchange(code=back["code"], redirect_uri=CALLBACK)
    return Grant.objects.create(
        organization=organization,
        connector="bitbucket_cloud",
        consumer="tests",
        secrets={"access_token": tokens.access_token, "refresh_token": tokens.refresh_token},
        expires_at=tokens.expires_at,
    )


def expire(grant: Grant, *, left: timedelta = timedelta(minutes=14)) -> dict[str, str]:
    Grant.objects.filter(pk=grant.pk).update(expires_at=now() + left)
    grant.refresh_from_db()
    return dict(grant.secrets or {})


def wait_in_vain(seconds: float) -> None:
    """Waiting takes no time in tests."""


def test_a_fresh_token_is_used_as_it_is(grant: Grant, sandbox: Sandbox) -> None:
    assert access_token(grant) == (grant.secrets or {})["access_token"]
    assert sandbox.consumers.refreshes == 0


def test_a_token_with_less_than_15_minutes_is_renewed_and_both_are_stored(
    grant: Grant, cloud: Connector, sandbox: Sandbox
) -> None:
    before = expire(grant)

    token = access_token(grant)

    stored = Grant.objects.get()
    kept = dict(stored.secrets or {})
    assert token == kept["access_token"] != before["access_token"]
    assert kept["refresh_token"] != before["refresh_token"]
    assert stored.expires_at is not None
    assert stored.expires_at > now() + timedelta(hours=1)
    assert stored.refresh_owner is None
    assert cloud.authorizations is not None
    assert cloud.authorizations.reach(token, organization=0).account
    assert access_token(grant) == token
    assert sandbox.consumers.refreshes == 1


def test_a_loser_waits_for_the_winner(grant: Grant, sandbox: Sandbox) -> None:
    expire(grant)
    hold = {"refresh_owner": uuid.uuid4(), "refresh_until": now() + timedelta(seconds=60)}
    Grant.objects.update(**hold)

    def winner_stores(seconds: float) -> None:
        row = Grant.objects.get()
        row.secrets = {"access_token": "the winner's", "refresh_token": "r"}
        row.expires_at = now() + timedelta(hours=2)
        row.refresh_owner = row.refresh_until = None
        row.save()

    assert access_token(grant, pause=winner_stores) == "the winner's"
    assert sandbox.consumers.refreshes == 0


def test_a_loser_does_not_wait_for_ever(grant: Grant) -> None:
    expire(grant)
    Grant.objects.update(refresh_owner=uuid.uuid4(), refresh_until=now() + timedelta(hours=1))

    with pytest.raises(Unavailable):
        access_token(grant, pause=wait_in_vain)


def test_a_winner_that_died_is_succeeded(grant: Grant, sandbox: Sandbox) -> None:
    before = expire(grant)
    dead = {"refresh_owner": uuid.uuid4(), "refresh_until": now() - timedelta(seconds=1)}
    Grant.objects.update(**dead)

    assert access_token(grant) != before["access_token"]
    assert sandbox.consumers.refreshes == 1


@pytest.mark.parametrize("answer", ["invalid_grant", "unauthorized_client"])
def test_a_revoked_authorization_has_ended(answer: str, grant: Grant, sandbox: Sandbox) -> None:
    sandbox.consumers.rotated_answer = answer
    expire(grant)
    sandbox.change.revoke_grants("ada")

    with pytest.raises(ConsentEnded):
        access_token(grant)

    asked = sandbox.count("access_token")
    with pytest.raises(ConsentEnded):
        access_token(grant)
    assert Grant.objects.get().ended_at is not None
    assert sandbox.count("access_token") == asked


def test_an_end_that_was_none_is_found_out_an_hour_later(grant: Grant, sandbox: Sandbox) -> None:
    expire(grant)
    Grant.objects.update(ended_at=now() - timedelta(minutes=61))

    access_token(grant)

    assert Grant.objects.get().ended_at is None


def test_trouble_gives_the_lease_back_and_the_old_token_serves_on(
    grant: Grant, sandbox: Sandbox
) -> None:
    before = expire(grant)
    sandbox.faults.add("/access_token", status=500)

    assert access_token(grant) == before["access_token"]
    assert Grant.objects.get().refresh_owner is None

    expire(grant, left=timedelta(seconds=-1))
    with pytest.raises((Unavailable, Unreachable)):
        access_token(grant)


def test_no_token_is_renewed_inside_a_transaction(grant: Grant) -> None:
    expire(grant)

    with transaction.atomic(), pytest.raises(RequestInTransaction):
        access_token(grant)


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_renew_once_while_others_write(grant: Grant, sandbox: Sandbox) -> None:
    expire(grant, left=timedelta(seconds=-1))
    sandbox.consumers.grace = 0.0
    sandbox.faults.add("/access_token", delay=1.0)
    asked = sandbox.count("/access_token")
    written: list[int] = []
    is_over = threading.Event()

    def ask(_: int) -> str:
        try:
            return access_token(Grant.objects.get(pk=grant.pk))
        finally:
            connection.close()

    def write() -> None:
        while not is_over.wait(0.05):
            Organization.objects.update(name=f"Written {len(written)}")
            written.append(len(written))
        connection.close()

    with ThreadPoolExecutor(21) as pool:
        writing = pool.submit(write)
        found = set(pool.map(ask, range(20)))
        is_over.set()
        writing.result()

    assert len(found) == 1
    assert sandbox.count("/access_token") - asked == 1
    assert len(written) > 3  # nobody waited for the token endpoint


@pytest.mark.django_db(transaction=True)
def test_what_is_erased_while_it_is_renewed_stays_erased(grant: Grant, sandbox: Sandbox) -> None:
    expire(grant)
    sandbox.faults.add("/access_token", delay=0.5)

    def ask() -> str:
        try:
            return access_token(Grant.objects.get(pk=grant.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        wait_until(lambda: Grant.objects.filter(refresh_owner__isnull=False).exists(), seconds=20)
        Grant.objects.update(secrets=None, ended_at=now(), refresh_owner=None, refresh_until=None)
        with pytest.raises(ConsentEnded):
            asking.result()

    grant.refresh_from_db()
    assert (grant.secrets, grant.ended_at is None) == (None, False)


def test_a_token_that_is_refused_before_its_time_is_renewed_once(
    grant: Grant, cloud: Connector, sandbox: Sandbox
) -> None:
    old = access_token(grant)
    entry = Entry(
        method="oauth2",
        settings={"workspace": "acme", "consumer": "tests"},
        secrets={"access_token": old},
        renew=partial(another_token, grant),
    )
    sandbox.change.revoke(old)

    with cloud.client(entry) as client:
        assert client.workspace().json["slug"] == "acme"
        assert client.user().json["display_name"] == "Ada Admin"

    assert sandbox.consumers.refreshes == 1
    assert sandbox.count("/workspaces/acme", status=401) == 1
    assert another_token(grant, old) == access_token(grant) != old
    assert sandbox.consumers.refreshes == 1


def test_a_new_token_that_is_refused_is_believed(
    grant: Grant, cloud: Connector, sandbox: Sandbox
) -> None:
    entry = Entry(
        method="oauth2",
        settings={"workspace": "acme", "consumer": "tests"},
        secrets={"access_token": access_token(grant)},
        renew=partial(another_token, grant),
    )
    sandbox.faults.add("/workspaces/acme", status=401)

    with cloud.client(entry) as client:
        for _ in range(2):
            with pytest.raises(InvalidCredentials):
                client.workspace()

    assert sandbox.consumers.refreshes == 1


def test_a_withdrawn_consent_is_told_as_such(
    grant: Grant, cloud: Connector, sandbox: Sandbox
) -> None:
    entry = Entry(
        method="oauth2",
        settings={"workspace": "acme", "consumer": "tests"},
        secrets={"access_token": access_token(grant)},
        renew=partial(another_token, grant),
    )
    sandbox.change.revoke_grants("ada")

    with cloud.client(entry) as client, pytest.raises(ConsentEnded):
        client.workspace()

    assert Grant.objects.get().ended_at is not None


def test_a_verification_goes_on_with_the_renewed_token(
    grant: Grant, cloud: Connector, sandbox: Sandbox
) -> None:
    old = access_token(grant)
    entry = Entry(
        method="oauth2",
        settings={"workspace": "acme", "consumer": "tests"},
        secrets={"access_token": old},
        renew=partial(another_token, grant),
    )
    sandbox.change.revoke(old)

    finding = cloud.verify(entry)

    assert finding.is_ok, finding.message
    assert sandbox.consumers.refreshes == 1
