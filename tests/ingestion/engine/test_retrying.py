"""A retry makes the requests of what failed, and no others."""

import pytest

from connections.models import Connection
from ingestion import engine
from ingestion.models import Repository, State, StreamRun, Sync
from ingestion.services.retries import NothingToRetry, retry_sync
from ingestion.services.syncs import ConnectionNotReady, SyncAlreadyRunning
from tenants.actor import Actor
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale

pytestmark = pytest.mark.parametrize(
    "scale", [Scale(repositories=4, pull_requests=8, pipelines=6, people=5)]
)


def retry(sync: Sync) -> Sync:
    return retry_sync(sync=sync, trigger=Sync.Trigger.PERSON, by=Actor.system())


def broken(sandbox: Sandbox, stream: str) -> Repository:
    """A repository whose stream Bitbucket answers with 500."""
    repository = Repository.objects.order_by("pk")[1]
    slug = repository.full_name.rpartition("/")[2]
    uuid = repository.uuid.strip("{}")
    sandbox.faults.add(rf"/({slug}|%7B{uuid}%7D|{{{uuid}}})/{stream}", status=500)
    return repository


@pytest.mark.parametrize(
    ("mode", "stream"), [("incremental", "pipelines"), ("full", "pullrequests")]
)
def test_only_what_failed_is_asked_for(
    copied: Copied, sandbox: Sandbox, mode: str, stream: str
) -> None:
    copied.sync()
    repository = broken(sandbox, stream)
    failed = copied.sync(mode)
    assert failed.state == State.PARTIAL
    sandbox.faults.clear()
    sandbox.site.journal.clear()

    again = engine.run_to_end(retry(failed).pk)

    uuid = repository.uuid.strip("{}")
    asked = {one.path for one in sandbox.requests}
    assert asked
    assert all(uuid in path for path in asked), asked
    assert (again.state, again.mode) == (State.SUCCEEDED, mode)
    assert again.requests == len(sandbox.requests)
    rows = StreamRun.objects.filter(sync=again, repository=None)
    assert {row.state for row in rows} == {State.SUCCEEDED}
    before = all_rows()
    copied.sync("full")
    assert all_rows() == before


def test_what_was_never_begun_is_read_then(copied: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add("/pipelines|/pullrequests", status=500)
    failed = copied.sync()
    sandbox.faults.clear()
    sandbox.site.journal.clear()

    again = engine.run_to_end(retry(failed).pk)

    assert again.state == State.SUCCEEDED
    assert sandbox.site.journal.count(r"^/2.0/repositories/[^/]+$") == 0
    assert sandbox.site.journal.count("/members") == 0


def test_what_cannot_be_retried(copied: Copied, sandbox: Sandbox) -> None:
    well = copied.sync()
    with pytest.raises(NothingToRetry):
        retry(well)

    broken(sandbox, "pipelines")
    first, last = copied.sync(), copied.sync()
    with pytest.raises(NothingToRetry, match=f"Sync {last.pk} has tried since"):
        retry(first)

    running = retry(last)
    with pytest.raises(SyncAlreadyRunning, match=str(running.pk)):
        retry(last)

    Sync.objects.filter(pk=running.pk).update(state=State.CANCELLED)
    Connection.objects.update(status=Connection.Status.DISABLED)
    with pytest.raises(ConnectionNotReady):
        retry(running)
