"""Deliveries of webhooks and syncs of the same records, one in the midst of the other."""

import pytest

from ingestion.models import Comment, Coverage, Event, PipelineRun, State, Sync
from tests.hooks import about_repository
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.ingestion.engine.delivering import about, deliver
from tests.ingestion.engine.test_pipelines_connection import beneath
from tests.ingestion.engine.working import beside, wait_until, working_on
from tests.sandbox import Sandbox, Scale
from tests.sandbox.world import Repository

PLACE = ("acme", "api")
SMALL = Scale(repositories=1, pull_requests=4, pipelines=0, people=4)


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=2, pipelines=6, people=4)])
def test_runs_below_the_page_that_a_delivery_brought(
    copied: Copied, sandbox: Sandbox, api: Repository
) -> None:
    copied.choose(*EVERYTHING).sync()
    for _ in range(150):
        sandbox.change.new_pipeline(*PLACE)
    row = deliver(copied, "repo:commit_status_created", about_repository(api))
    assert row.outcome == "changed"

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert Coverage.objects.get(stream="pipelines").gap is None
    assert PipelineRun.objects.count() == len(api.pipelines)


@pytest.mark.parametrize("scale", [SMALL])
def test_a_comment_that_a_delivery_brought_while_its_list_was_on_its_way(
    copied: Copied, sandbox: Sandbox, api: Repository
) -> None:
    copied.choose(*EVERYTHING).sync()
    one = api.pull_requests[max(api.pull_requests)]
    sandbox.change.comment(*PLACE, one.id, raw="First")
    slow = sandbox.faults.add(rf"/pullrequests/{one.id}/comments", delay=3.0, times=1)

    with working_on(copied.start()):
        wait_until(lambda: slow.hits == 1)  # what the list shows is decided, and on its way
        sandbox.change.comment(*PLACE, one.id, raw="Second")
        deliver(copied, "pullrequest:comment_created", about(api, one.id, one.updated_on))
        assert Comment.objects.get(content="Second").removed_at is None

    assert Sync.objects.latest("pk").state == State.SUCCEEDED
    assert copied.sync().state == State.SUCCEEDED
    assert Comment.objects.get(content="Second").removed_at is None


@pytest.mark.parametrize("scale", [SMALL])
def test_an_approval_that_a_delivery_brought_while_the_feed_was_on_its_way(
    copied: Copied, sandbox: Sandbox, api: Repository
) -> None:
    copied.choose(*EVERYTHING).sync()
    one = next(pr for pr in api.pull_requests.values() if pr.state == "OPEN")
    sandbox.change.comment(*PLACE, one.id, raw="First")
    slow = sandbox.faults.add(r"/pullrequests/activity", delay=3.0, times=1)

    with working_on(copied.start()):
        wait_until(lambda: slow.hits == 1)
        sandbox.change.approve(*PLACE, one.id, person="ada")
        deliver(copied, "pullrequest:approved", about(api, one.id, one.updated_on))
        approval = Event.objects.filter(kind="approval", happened_at=one.updated_on)
        assert approval.get().withdrawn_at is None

    assert Sync.objects.latest("pk").state == State.SUCCEEDED
    assert copied.sync().state == State.SUCCEEDED
    assert approval.get().withdrawn_at is None


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=2, pipelines=6, people=4)])
def test_rows_of_a_delivery_that_is_followed_while_its_stream_is_handed_over(
    copied: Copied, sandbox: Sandbox, api: Repository
) -> None:
    assert copied.sync().state == State.SUCCEEDED
    sandbox.change.new_pipeline(*PLACE)
    slow = sandbox.faults.add(r"/pipelines\?", delay=4.0, times=1)

    told = about_repository(api)
    with beside(lambda: deliver(copied, "repo:commit_status_created", told)):
        wait_until(lambda: slow.hits == 1)
        child = beneath(copied, sandbox)

    states = [child.sync().state, copied.sync().state]

    assert states == [State.SUCCEEDED] * 2
    owners = dict.fromkeys(PipelineRun.objects.values_list("connection", flat=True))
    assert list(owners) == [child.connection.pk]
