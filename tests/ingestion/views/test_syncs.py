"""The pages of syncs: what they say, and what the buttons do."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import State, StreamRun, Sync
from tenants.models import AuditEvent
from tests.factories import (
    CoverageFactory,
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import Address, text_of

REFUSED = {
    "code": "invalid_permissions",
    "message": "The token lacks the scope pipeline.",
    "retryable": False,
    "mended_by": "admin",
    "evidence": {"status": 403},
}


@pytest.fixture
def running(connection: Connection) -> Sync:
    """A sync that has read 2,140 of about 4,280 pull requests in a minute."""
    repositories = RepositoryFactory.create_batch(8, connection=connection)
    sync = SyncFactory.create(
        connection=connection,
        state=State.RUNNING,
        started_at=now() - timedelta(minutes=1),
        finished_at=None,
        heartbeat_at=now(),
        counts={"read": 2240},
        requests=120,
        seconds={"bitbucket": 30.0, "database": 10.0, "waiting": 0.0},
    )
    StreamRunFactory.create(sync=sync, stream="repositories", read=100, requests=2, total=None)
    StreamRunFactory.create(
        sync=sync,
        stream="pull_requests",
        state=State.RUNNING,
        read=2140,
        created=2000,
        updated=140,
        expected=4280,
        done=3,
        total=8,
        requests=118,
        started_at=now() - timedelta(minutes=1),
    )
    for repository in repositories:
        StreamRunFactory.create(sync=sync, repository=repository, state=State.RUNNING, read=250)
    return sync


def heading(page: str) -> str:
    """What the page answers first."""
    found = re.search(r"<h1>(.*?)</h1>", page)
    return found.group(1) if found else ""


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


@pytest.mark.parametrize(
    ("state", "values", "sentence"),
    [
        (State.QUEUED, {"started_at": None}, "About to start"),
        (State.SUCCEEDED, {"counts": {"created": 3, "updated": 1}}, "Complete: 4 records new or"),
        (State.SUCCEEDED, {"counts": {"read": 9}}, "Complete: nothing had changed"),
        (State.FAILED, {"error": REFUSED}, "Failed: The token lacks the scope pipeline."),
        (State.FAILED, {"error": None}, "Failed: It ended without a reason being noted."),
        (State.CANCELLED, {}, "Stopped. What was read until then stays"),
        (State.WAITING, {"reason": "turn"}, "Waiting: other syncs go first for a moment"),
    ],
)
def test_each_state_has_its_sentence(
    member: Client,
    url: Address,
    connection: Connection,
    state: State,
    values: dict[str, Any],
    sentence: str,
) -> None:
    sync = SyncFactory.create(connection=connection, state=state, **values)

    assert heading(text_of(member.get(url("sync", sync.pk)))).startswith(sentence)


def test_an_incomplete_sync_names_what_failed(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL, error=REFUSED)
    StreamRunFactory.create(sync=sync, stream="pull_requests", state=State.PARTIAL, total=100)
    vault = RepositoryFactory.create(connection=connection, name="vault")
    for stream in ("pull_requests", "repositories"):
        StreamRunFactory.create(
            sync=sync, stream=stream, repository=vault, state=State.FAILED, error=REFUSED
        )
    StreamRunFactory.create(
        sync=sync, repository=RepositoryFactory.create(connection=connection, name="fine")
    )

    page = text_of(member.get(url("sync", sync.pk)))

    assert heading(page) == "Incomplete: 1 of 100 repositories could not be read"
    assert "◑</span>Incomplete: 1 of 100" in page
    assert "acme/vault" in page
    assert "acme/fine" not in page
    assert page.count("The token lacks the scope pipeline.") == 2
    assert "99 of 100" in page


def test_one_cause_in_several_repositories_is_told_once(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL, error=REFUSED)
    StreamRunFactory.create(sync=sync, state=State.PARTIAL, error=REFUSED, total=5)
    names = ("api", "web", "vault")
    for name in names:
        repository = RepositoryFactory.create(connection=connection, name=name)
        error = {**REFUSED, "message": "Gone."} if name == "vault" else REFUSED
        StreamRunFactory.create(sync=sync, repository=repository, state=State.FAILED, error=error)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "<strong>2 repositories</strong> · Pull requests" in page
    assert "acme/api, acme/web." in page
    assert page.count("The token lacks the scope pipeline.") == 1
    assert "<strong>acme/vault</strong> · Pull requests" in page


@pytest.mark.parametrize("alone", [0, 1])
def test_streams_are_counted_where_one_failed_as_a_whole(
    member: Client, url: Address, connection: Connection, alone: int
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.PARTIAL, error=REFUSED)
    StreamRunFactory.create(sync=sync, stream="repositories")
    partly = {"state": State.PARTIAL, "error": REFUSED} if alone else {}
    StreamRunFactory.create(sync=sync, stream="pull_requests", total=3, **partly)
    StreamRunFactory.create(sync=sync, stream="pipelines", state=State.FAILED, error=REFUSED)
    for repository in RepositoryFactory.create_batch(alone, connection=connection):
        values = {"repository": repository, "state": State.FAILED, "error": REFUSED}
        StreamRunFactory.create(sync=sync, stream="pull_requests", **values)

    page = text_of(member.get(url("sync", sync.pk)))

    assert heading(page) == f"Incomplete: {1 + alone} of 3 streams could not be read"
    assert f"<dt>streams without an error</dt> <dd>{2 - alone} of 3</dd>" in page


def test_a_failed_sync_has_the_way_out_of_its_problem(
    member: Client, viewer: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, state=State.FAILED, error=REFUSED)
    credential = connection.credentials.get()
    where = (connection.organization.slug, connection.pk, credential.pk)
    rotate = reverse("connections:credential_rotate", args=where)

    page = text_of(member.get(url("sync", sync.pk)))
    read_only = text_of(viewer.get(url("sync", sync.pk)))

    assert f'<a class="btn btn-primary" href="{rotate}">Rotate the credential</a>' in page
    assert "Waiting does not help." in page
    assert "Rotate the credential" not in read_only
    assert "An admin can mend it: " in read_only


def test_a_sync_that_failed_for_a_while_needs_no_button(
    member: Client, url: Address, connection: Connection
) -> None:
    error = {"code": "unreachable", "message": "No answer.", "retryable": True, "mended_by": "time"}
    sync = SyncFactory.create(connection=connection, state=State.FAILED, error=error)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "Waiting can help: the next sync tries again." in page
    assert "See the connection" not in page
    assert "Rotate" not in page


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


def test_a_finished_sync_says_what_it_saved(
    member: Client, url: Address, connection: Connection
) -> None:
    streams = ["repositories", "pull_requests", "pull_request_activity", "pull_request_comments"]
    sync = SyncFactory.create(connection=connection, requests=690, streams=streams)
    StreamRunFactory.create(sync=sync, stream="repositories", requests=10)
    StreamRunFactory.create(sync=sync, stream="pull_requests", requests=90, read=4000)
    StreamRunFactory.create(sync=sync, stream="pull_request_activity", requests=290)
    StreamRunFactory.create(sync=sync, stream="pull_request_comments", requests=300)

    page = text_of(member.get(url("sync", sync.pk)))

    assert "Asked Bitbucket 690 times; one request per pull request would have been 8,100." in page


def test_a_sync_that_saved_nothing_boasts_of_nothing(
    member: Client, url: Address, connection: Connection
) -> None:
    sync = SyncFactory.create(connection=connection, requests=10)
    StreamRunFactory.create(sync=sync, requests=10, read=500)

    assert "Asked Bitbucket" not in text_of(member.get(url("sync", sync.pk)))


def test_a_silent_worker_is_noticed(member: Client, url: Address, running: Sync) -> None:
    Sync.objects.filter(pk=running.pk).update(heartbeat_at=now() - timedelta(minutes=2))

    assert "No sign of its worker" in text_of(member.get(url("sync", running.pk)))


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
