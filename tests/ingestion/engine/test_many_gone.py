"""Many repositories are not listed any more: nothing is marked before a person says so."""

from typing import Any

import pytest

from ingestion import engine
from ingestion.models import Coverage, PullRequest, Repository, State, Sync
from ingestion.services.gone import confirm_gone
from tenants.actor import Actor
from tenants.models import AuditEvent
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=9, pull_requests=1, pipelines=0, people=3)


LACKS = '{"error": {"detail": {"required": ["repository:admin"], "granted": ["pullrequest"]}}}'


def delete(sandbox: Sandbox, count: int) -> list[str]:
    slugs = list(sandbox.world.workspaces["acme"].repositories)[-count:]
    for slug in slugs:
        sandbox.change.delete_repository("acme", slug)
    return slugs


def marked() -> set[str]:
    return set(Repository.objects.exclude(removed_at=None).values_list("slug", flat=True))


def confirm(copied: Copied) -> bool:
    return confirm_gone(connection=copied.connection, by=Actor.system())


def asked(sandbox: Sandbox, slugs: list[str], since: int) -> int:
    """How often anything of these repositories was asked for."""
    uuids = Repository.objects.filter(slug__in=slugs).values_list("uuid", flat=True)
    paths = [request.path for request in sandbox.requests[since:]]
    return sum(uuid[1:-1] in path for uuid in uuids for path in paths)


@pytest.mark.parametrize(
    ("scale", "gone"),
    [
        (Scale(repositories=4, pull_requests=1, pipelines=0, people=3), 2),
        (Scale(repositories=6, pull_requests=1, pipelines=0, people=3), 5),
        (Scale(repositories=9, pull_requests=1, pipelines=0, people=3), 2),
    ],
)
def test_none_is_marked_or_visited(copied: Copied, sandbox: Sandbox, gone: int) -> None:
    copied.sync()
    slugs = delete(sandbox, gone)
    begun = len(sandbox.requests)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["code"] == "many_gone"
    assert {run.error["code"] for run in sync.stream_runs.exclude(error=None) if run.error} == {
        "many_gone"
    }
    assert marked() == set()
    assert asked(sandbox, slugs, begun) == 0


@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_they_are_marked_once_a_person_says_so(copied: Copied, sandbox: Sandbox, mode: str) -> None:
    copied.sync()
    slugs = delete(sandbox, 3)
    assert copied.sync().state == State.PARTIAL

    assert confirm(copied)
    sync = copied.sync(mode)

    assert sync.state == State.SUCCEEDED, sync.error
    assert marked() == set(slugs)
    assert PullRequest.objects.count() == 9
    assert not confirm(copied)
    assert not Coverage.objects.exclude(checkpoint=None).exists()


def test_what_a_person_says_twice_counts_once(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    assert not confirm(copied)
    delete(sandbox, 3)
    copied.sync()

    assert [confirm(copied), confirm(copied)] == [True, False]

    assert AuditEvent.objects.filter(event_type="connections.gone_confirmed").count() == 1


def test_more_that_vanish_after_the_answer_are_asked_about(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    delete(sandbox, 2)
    copied.sync()
    confirm(copied)
    delete(sandbox, 3)

    assert copied.sync().state == State.PARTIAL

    assert marked() == set()
    assert confirm(copied)


def test_what_is_shown_by_its_uuid_is_not_marked(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    slugs = delete(sandbox, 2)
    copied.sync()
    confirm(copied)
    there = Repository.objects.get(slug=slugs[0])
    sandbox.faults.add(
        rf"/repositories/[^/]*/[^/]*{there.uuid[1:-1]}[^/?]*$", status=200, body="{}"
    )

    copied.sync()

    assert marked() == set(slugs[1:])


@pytest.mark.parametrize(
    ("fault", "marks"),
    [
        ({"status": 403}, True),
        ({"kind": "410"}, False),
        ({"status": 403, "body": LACKS}, False),
    ],
    ids=["refused", "the address is no more", "a scope is missing"],
)
def test_only_a_refusal_of_the_thing_itself_marks_it(
    copied: Copied, sandbox: Sandbox, fault: dict[str, Any], marks: bool
) -> None:
    copied.sync()
    slugs = delete(sandbox, 1)
    sandbox.faults.add(r"/repositories/[^/]*/[^/?]*$", **fault)

    copied.sync()

    assert marked() == (set(slugs) if marks else set())


def test_answer_outlives_trouble(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    slugs = delete(sandbox, 3)
    copied.sync()
    confirm(copied)
    trouble = sandbox.faults.add(r"/repositories/[^/]*/[^/?]*$", status=500)
    assert copied.sync().state == State.PARTIAL
    sandbox.faults.remove(trouble)

    assert copied.sync().state == State.SUCCEEDED

    assert marked() == set(slugs)


@pytest.mark.parametrize("answers", [False, True])
def test_pause_on_the_way_keeps_the_question(
    copied: Copied, sandbox: Sandbox, settings: Any, answers: bool
) -> None:
    settings.SYNC_RETRY_DELAYS = [0]
    copied.sync()
    slugs = delete(sandbox, 3)
    sandbox.faults.add(r"/pullrequests", status=500, times=1)
    begun = len(sandbox.requests)
    sync = copied.start()
    assert engine.run_slice(sync.pk) == State.WAITING
    if answers:
        confirm(copied)

    sync = engine.run_to_end(sync.pk)

    assert marked() == (set(slugs) if answers else set())
    assert asked(sandbox, slugs, begun) == (3 if answers else 0)


def test_what_a_person_left_out_is_not_missed(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    slugs = delete(sandbox, 2)
    kept = Repository.objects.exclude(slug__in=slugs).values_list("uuid", flat=True)
    copied.connection.selection = {"repositories": {"mode": "chosen", "ids": list(kept)}}
    copied.connection.save()
    Repository.objects.filter(slug__in=slugs).update(is_selected=False)

    sync: Sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert marked() == set()
