"""The pages of syncs: the list, and what the buttons do."""

from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import State, Sync
from tenants.models import AuditEvent
from tests.factories import (
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import REFUSED, Address, heading, text_of


def test_a_sync_of_a_deleted_connection_leads_nowhere_that_is_gone(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.SUCCEEDED, finished_at=now())
    connection.deleted_at = now()
    connection.save()

    page = text_of(member.get(url("sync", sync.pk)))
    listed = text_of(member.get(url("syncs")))

    assert "Engineering workspace was deleted" in page
    assert "Sync again" not in page
    assert f'href="{url("connection", connection.pk)}"' not in page
    assert '<span class="sub">deleted</span>' in listed


def test_starting_leads_to_the_sync(member: Client, url: Address, connection: Connection) -> None:
    response = member.post(url("sync_start", connection.pk))

    sync = Sync.objects.get()
    assert response.url == url("sync", sync.pk)
    assert (sync.trigger, sync.mode, sync.state) == ("person", "incremental", "queued")


def test_an_unknown_mode_starts_nothing(
    member: Client, url: Address, connection: Connection
) -> None:
    answer = member.post(url("sync_start", connection.pk), {"mode": "fulll"}, follow=True)

    assert "There is no such kind of sync." in answer.content.decode()
    assert not Sync.objects.exists()


def test_starting_twice_leads_to_the_one_that_runs(
    member: Client, url: Address, running: Sync
) -> None:
    response = member.post(url("sync_start", running.connection_id), follow=True)

    assert response.redirect_chain[-1][0] == url("sync", running.pk)
    assert "It is syncing already" in text_of(response)
    assert Sync.objects.count() == 1


def test_a_paused_connection_says_why_it_does_not_start(
    member: Client, url: Address, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.DISABLED)

    response = member.post(url("sync_start", connection.pk), follow=True)

    assert "is paused" in text_of(response)
    assert not Sync.objects.exists()


def test_stopping_keeps_the_page(member: Client, url: Address, running: Sync) -> None:
    response = member.post(url("sync_cancel", running.pk), follow=True)

    assert heading(text_of(response)).startswith("Stopped.")
    assert AuditEvent.objects.filter(event_type="syncs.cancelled").exists()
    assert member.get(url("sync_cancel", running.pk)).status_code == 405


def test_a_viewer_watches_and_does_not_stop(viewer: Client, url: Address, running: Sync) -> None:
    assert "Stop</button>" not in text_of(viewer.get(url("sync", running.pk)))
    assert viewer.post(url("sync_cancel", running.pk)).status_code == 403


@pytest.mark.parametrize("name", ["sync", "sync_live"])
def test_a_sync_of_others_is_not_there(
    member: Client, url: Address, foreign: Connection, name: str
) -> None:
    theirs = SyncFactory.create(connection=foreign, state=State.RUNNING, finished_at=None)

    assert member.get(url(name, theirs.pk)).status_code == 404
    assert member.post(url("sync_cancel", theirs.pk)).status_code == 404
    assert member.post(url("sync_start", foreign.pk)).status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == State.RUNNING


def test_syncs_are_listed_by_state_and_connection(
    member: Client, url: Address, running: Sync, foreign: Connection
) -> None:
    SyncFactory.create(connection=running.connection, state=State.FAILED)
    SyncFactory.create(connection=foreign)

    everything = text_of(member.get(url("syncs")))
    failed = text_of(member.get(url("syncs"), {"state": "failed"}))

    assert "2 syncs, the newest first." in everything
    assert "1 sync, the newest first." in failed
    assert member.get(url("syncs"), {"connection": foreign.pk}).status_code == 400
    assert member.get(url("syncs"), {"connection": "9" * 40}).status_code == 400


@pytest.mark.parametrize("many", [2, 40])
def test_the_number_of_statements_does_not_grow(
    member: Client,
    url: Address,
    connection: Connection,
    many: int,
    django_assert_max_num_queries: Any,
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL)
    for _ in range(many):
        SyncFactory.create(connection=connection)
        repository = RepositoryFactory.create(connection=connection)
        StreamRunFactory.create(sync=sync, repository=repository, state=State.FAILED, error=REFUSED)

    with django_assert_max_num_queries(12):
        member.get(url("sync", sync.pk))
    with django_assert_max_num_queries(11):
        member.get(url("sync_live", sync.pk))
    with django_assert_max_num_queries(9):
        member.get(url("syncs"))


@pytest.mark.parametrize(
    ("state", "button"),
    [
        (State.PARTIAL, "Retry what failed"),
        (State.FAILED, "Retry what failed"),
        (State.CANCELLED, "Go on with the rest"),
        (State.SUCCEEDED, None),
    ],
)
def test_what_failed_can_be_retried_from_the_last_sync(
    member: Client,
    viewer: Client,
    url: Address,
    connection: Connection,
    state: State,
    button: str | None,
) -> None:
    older = SyncFactory.create(connection=connection, state=State.FAILED)
    sync = SyncFactory.create(connection=connection, state=state, streams=["repositories"])
    retry = url("sync_retry", sync.pk)

    page = text_of(member.get(url("sync", sync.pk)))
    seen = text_of(viewer.get(url("sync", sync.pk)))
    assert viewer.post(retry).status_code == 403
    refused = text_of(member.post(url("sync_retry", older.pk), follow=True))
    answer = member.post(retry)

    assert button in page if button else retry not in page
    assert retry not in seen
    assert f"Sync {sync.pk} has tried since" in refused
    started = Sync.objects.first()
    assert (started != sync) is bool(button)
    assert answer.url == url("sync", started.pk)
