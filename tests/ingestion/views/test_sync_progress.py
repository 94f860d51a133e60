"""The page of a sync that runs: how far, how long, what it waits for."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import State, StreamRun, Sync
from tests.factories import (
    CoverageFactory,
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import REFUSED, Address, heading, text_of


def test_a_running_sync_says_how_far_and_how_long(
    member: Client, url: Address, running: Sync
) -> None:
    page = text_of(member.get(url("sync", running.pk)))

    assert heading(page) == "Reading pull requests: 2,140 of about 4,280"
    assert re.search(r"about (59|6\d) seconds left", page)
    assert re.search(r"requests · (2\.0|1\.\d) a second", page)
    assert "8 of 8" in page
    assert 'value="50"' in page
    assert "Bitbucket answers 75 %" in page
    assert f'hx-get="{url("sync_live", running.pk)}"' in page


def test_repositories_that_were_not_begun_count_as_work_to_do(
    member: Client, url: Address, running: Sync
) -> None:
    StreamRun.objects.filter(sync=running, stream="pull_requests").update(done=2, total=100)

    page = text_of(member.get(url("sync", running.pk)))

    assert heading(page) == "Reading pull requests: 2,140 of about 53,500"


def test_streams_weigh_as_much_as_they_ask_and_those_that_wait_are_not_small(
    member: Client, url: Address, running: Sync
) -> None:
    StreamRunFactory.create(
        sync=running, stream="pull_request_activity", state=State.RUNNING, total=8
    )

    page = text_of(member.get(url("sync", running.pk)))

    whole = re.search(r'value="(\d+)" aria-label="The whole sync"', page)
    assert whole
    assert 5 < int(whole[1]) < 10
    assert "seconds left" not in page


def test_a_sync_that_was_asked_for_in_vain_has_not_done_anything(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.WAITING, finished_at=None)
    StreamRunFactory.create(sync=sync, stream="repositories", state=State.RUNNING, requests=2)
    StreamRunFactory.create(sync=sync, stream="pull_requests", state=State.QUEUED)

    page = text_of(member.get(url("sync", sync.pk)))

    assert 'value="0" aria-label="The whole sync"' in page


def test_the_time_left_is_told_once_a_quarter_of_the_histories_is_read(
    member: Client, url: Address, running: Sync
) -> None:
    history = StreamRunFactory.create(
        sync=running, stream="pull_request_activity", state=State.RUNNING, total=8, done=2
    )
    StreamRun.objects.filter(pk=history.pk).update(requests=238)

    page = text_of(member.get(url("sync", running.pk)))

    assert "about 2 minutes left" in page


@pytest.mark.parametrize(("read", "percent"), [(400, 50), (700, 88), (9000, 99)])
def test_repositories_being_read_are_measured_by_those_that_ended(
    member: Client, url: Address, connection: Connection, read: int, percent: int
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.RUNNING, finished_at=None)
    of_stream = {"sync": sync, "stream": "pull_request_activity", "state": State.RUNNING}
    StreamRunFactory.create(**of_stream, total=8, done=4, read=read, requests=10)
    for number, repository in enumerate(RepositoryFactory.create_batch(8, connection=connection)):
        StreamRunFactory.create(**of_stream, repository=repository, read=100)
        CoverageFactory.create(
            repository=repository,
            stream="pull_request_activity",
            ended_by=sync.pk if number < 4 else None,
        )

    page = text_of(member.get(url("sync", sync.pk)))

    assert f'value="{percent}" aria-label="Pull request history"' in page


def test_repositories_that_gave_nothing_yet_are_not_half_done(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.WAITING, finished_at=None)
    of_stream = {"sync": sync, "stream": "pull_request_activity", "state": State.WAITING}
    StreamRunFactory.create(**of_stream, total=8, requests=16)
    for repository in RepositoryFactory.create_batch(8, connection=connection):
        StreamRunFactory.create(**of_stream, repository=repository, error=REFUSED)

    page = text_of(member.get(url("sync", sync.pk)))

    assert 'value="0" aria-label="Pull request history"' in page


def test_the_live_part_goes_on_until_the_end(member: Client, url: Address, running: Sync) -> None:
    live = member.get(url("sync_live", running.pk))
    assert live.status_code == 200
    assert 'hx-trigger="every 1s"' in text_of(live)

    Sync.objects.filter(pk=running.pk).update(state=State.SUCCEEDED, finished_at=now())
    last = member.get(url("sync_live", running.pk))
    assert last.status_code == 286
    assert "hx-trigger" not in text_of(last)
    assert "Sync again" in text_of(last)


def test_what_it_waits_for_is_counted_down(member: Client, url: Address, running: Sync) -> None:
    until = now() + timedelta(minutes=7)
    Sync.objects.filter(pk=running.pk).update(
        state=State.WAITING, reason=Sync.Reason.QUOTA, resume_at=until
    )

    page = text_of(member.get(url("sync", running.pk)))

    assert heading(page).startswith("Waiting until ")
    assert "the requests that Bitbucket allows are used up for now" in page
    assert re.search(r"at <time[^>]*>[^<]*</time>, <time[^>]*data-countdown>in ", page)
    assert "Nothing is lost" in page


def test_a_stream_that_has_read_all_shows_it_while_the_sync_goes_on(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.RUNNING)
    for stream, values in {
        "repositories": {"read": 12, "expected": 12},
        "pull_requests": {"read": 40, "total": 12, "done": 12},
        "pipelines": {"read": 10, "expected": 11},
    }.items():
        StreamRunFactory.create(sync=sync, stream=stream, state=State.RUNNING, **values)

    page = text_of(member.get(url("sync", sync.pk)))

    assert page.count("100 %") == 2
    assert page.count("91 %") == 1


def test_a_silent_worker_is_noticed(member: Client, url: Address, running: Sync) -> None:
    Sync.objects.filter(pk=running.pk).update(heartbeat_at=now() - timedelta(minutes=2))

    assert "No sign of its worker" in text_of(member.get(url("sync", running.pk)))
