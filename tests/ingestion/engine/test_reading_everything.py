"""Reading everything again finds what vanished inside a repository, and marks nothing else."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import F

from ingestion import engine
from ingestion.models import (
    Comment,
    Commit,
    Coverage,
    Deployment,
    Event,
    PipelineRun,
    PullRequest,
    Repository,
    State,
    Sync,
)
from ingestion.selectors.syncs import stream_rows_of
from ingestion.services.gone import confirm_gone
from ingestion.services.retries import retry_sync
from ingestion.services.syncs import cancel_sync
from ingestion.words.progress import share_done
from tenants.actor import Actor
from tests.factories import CredentialFactory
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.ingestion.engine.rows import TABLES, all_rows
from tests.ingestion.engine.test_interruptions import Killed, killed_at
from tests.sandbox import Sandbox, Scale

API = ("acme", "api")


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=12, pipelines=12, people=5, deployments=8)


@pytest.fixture
def synced(connect: Callable[..., Copied]) -> Copied:
    copied = connect().choose(*EVERYTHING)
    assert copied.sync().state == State.SUCCEEDED
    return copied


def gone() -> dict[str, set[Any]]:
    """What is marked as gone, by what Bitbucket calls it."""
    marked = {"removed_at__isnull": False}
    events = Event.objects.exclude(withdrawn_at=None)
    return {
        "pull requests": set(PullRequest.objects.filter(**marked).values_list("number", flat=True)),
        "events": set(events.values_list("pull_request__number", "happened_at")),
        "comments": set(Comment.objects.filter(**marked).values_list("number", flat=True)),
        "pipelines": set(PipelineRun.objects.filter(**marked).values_list("number", flat=True)),
        "deployments": set(Deployment.objects.filter(**marked).values_list("number", flat=True)),
        "commits": set(Commit.objects.filter(**marked).values_list("hash", flat=True)),
    }


def nothing() -> dict[str, set[Any]]:
    return {name: set() for name in gone()}


def vanish(sandbox: Sandbox) -> dict[str, set[Any]]:
    """One of each kind goes without any sign that an incremental sync would see."""
    there = sandbox.world.workspaces["acme"].repositories["api"]
    told = {one.id: one.updated_on for one in there.pull_requests.values()}
    said = next(c for n in (2, 4, 6) for c in there.pull_requests[n].comments if not c.deleted)
    number = next(n for n, one in there.pull_requests.items() if said in one.comments)
    there.pull_requests[number].comments.remove(said)
    there.pull_requests[number].activity = [
        one for one in there.pull_requests[number].activity if one.comment is not said
    ]
    there.feed = [one for one in there.feed if one.comment is not said]
    other = next(n for n in (3, 5, 7) if n != number)
    lost = sandbox.change.lose_entry(*API, other)
    sandbox.change.delete_pull_request(*API, 9)
    sandbox.change.delete_pipeline(*API, 4)
    sandbox.change.delete_deployment(*API, 1)
    for one in there.pull_requests.values():
        one.updated_on = told[one.id]
    return {
        "pull requests": {9},
        "events": {(other, lost.date), (number, said.created_on)},
        "comments": {said.id},
        "pipelines": {4},
        "deployments": {1},
        "commits": set(),
    }


def test_nothing_new_marks_all_as_seen_and_asks_for_nothing_singly(
    synced: Copied, sandbox: Sandbox
) -> None:
    before, asked = all_rows(), len(sandbox.requests)

    sync = synced.sync("full")

    assert sync.state == State.SUCCEEDED, sync.error
    assert all_rows() == before
    assert (sync.counts["created"], sync.counts["updated"], sync.counts["removed"]) == (0, 0, 0)
    for model in TABLES:
        if model._default_manager.exists():
            assert set(model._default_manager.values_list("seen_by", flat=True)) == {sync.pk}, model
    single = r"/(pullrequests/\d+|comments/\d+|pipelines/[^/?]+|deployments/[^/?]+)$"
    assert not [one for one in sandbox.requests[asked:] if _fits(single, one.path)]


def test_what_vanished_is_marked_and_comes_back(synced: Copied, sandbox: Sandbox) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"]
    dropped = sandbox.change.push_main(*API)
    synced.sync()
    kept = {n: one for n, one in there.pull_requests.items() if n == 9}
    run = next(one for one in there.pipelines.values() if one.build_number == 4)
    expected = vanish(sandbox)
    expected["commits"] = {dropped}
    sandbox.change.force_push_main(*API)
    Coverage.objects.filter(stream="commits", repository__slug="api").update(
        heads=list(there.branches.values())  # as if the list of what was dropped had been short
    )
    assert synced.sync(streams=["pull_requests", "pipelines", "commits"]).state == State.SUCCEEDED
    assert gone() == nothing()

    sync = synced.sync("full")

    assert sync.state == State.SUCCEEDED, sync.error
    assert gone() == expected
    assert sync.counts["removed"] == 7
    there.pull_requests |= kept
    there.pipelines[run.uuid] = run
    sandbox.change.approve(*API, 9)
    assert synced.sync("full").state == State.SUCCEEDED
    assert gone()["pull requests"] == gone()["pipelines"] == set()
    assert not Coverage.objects.exclude(missing=None).exists()


def test_what_a_list_lacks_and_bitbucket_shows_is_not_gone(
    synced: Copied, sandbox: Sandbox
) -> None:
    there = sandbox.world.workspaces["acme"].repositories["api"]
    there.pull_requests[2].state = "SOMEWHERE"  # which no list asks for
    PullRequest.objects.filter(repository__slug="api", number=2).update(state="SOMEWHERE")
    sandbox.site.changed()
    asked = len(sandbox.requests)

    sync = synced.sync("full")

    assert sync.state == State.SUCCEEDED, sync.error
    assert gone() == nothing()
    assert any(one.path.endswith("/pullrequests/2") for one in sandbox.requests[asked:])
    assert not Coverage.objects.exclude(missing=None).exists()


def test_where_the_feed_is_refused_every_history_is_read(synced: Copied, sandbox: Sandbox) -> None:
    expected = vanish(sandbox)
    sandbox.faults.add("/pullrequests/activity", status=403)

    sync = synced.sync("full")

    assert sync.state == State.SUCCEEDED, sync.error
    assert gone() == expected


def test_a_feed_that_ends_early_is_made_good_by_single_histories(
    synced: Copied, sandbox: Sandbox
) -> None:
    expected = vanish(sandbox)
    sandbox.faults.add("/pullrequests/activity", kind="short_page", only_pages=True)

    sync = synced.sync("full")

    assert gone()["pull requests"] == expected["pull requests"]
    assert gone()["events"] in (expected["events"], set())
    assert sync.state in (State.SUCCEEDED, State.PARTIAL)
    sandbox.faults.clear()
    assert synced.sync("full").state == State.SUCCEEDED
    assert gone() == expected


@pytest.mark.parametrize("where", ["pullrequests", "pullrequests/activity", "pipelines", "commits"])
def test_a_list_that_breaks_off_marks_nothing(synced: Copied, sandbox: Sandbox, where: str) -> None:
    vanish(sandbox)
    sandbox.faults.add(rf"/{where}(\?|$)", status=500)

    assert synced.sync("full").state == State.PARTIAL

    broken = {
        "pullrequests": {"pull requests", "events", "comments"},
        "pullrequests/activity": {"events"},  # comments have lists of their own
        "pipelines": {"pipelines"},
        "commits": {"commits"},
    }
    assert not any(gone()[name] for name in broken[where])


@pytest.mark.parametrize("status", [500, 429])
def test_a_question_without_an_answer_marks_nothing_and_is_asked_again(
    synced: Copied, sandbox: Sandbox, status: int
) -> None:
    expected = vanish(sandbox)
    single = r"/(pullrequests/\d+|comments/\d+|pipelines/[^/?]+|deployments/[^/?]+)$"
    sandbox.faults.add(single, status=status)

    sync = synced.start("full")
    state = engine.run_slice(sync.pk)

    assert state in (State.PARTIAL, State.WAITING)
    assert not any(found for name, found in gone().items() if name != "events")
    sandbox.faults.clear()
    if state == State.WAITING:
        return
    gaps = Coverage.objects.exclude(gap=None)
    assert set(gaps.values_list("stream", flat=True)) >= {
        "pull_requests",
        "pull_request_comments",
        "pipelines",
        "deployments",
    }

    following = synced.sync()

    assert following.state == State.SUCCEEDED, following.error
    assert gone() == expected
    assert not gaps.exists()


def test_what_is_refused_altogether_is_not_gone(synced: Copied, sandbox: Sandbox) -> None:
    """Its lists are shown, and then everything is refused: also what is asked for singly."""
    vanish(sandbox)
    place = Repository.objects.get(slug="api").uuid[1:-1]
    sandbox.faults.add(rf"{place}.*/pullrequests", status=404, after=1)
    sandbox.faults.add(rf"{place}.*/pipelines", status=403, after=1)

    assert synced.sync("full").state == State.PARTIAL

    assert gone()["pull requests"] == gone()["pipelines"] == gone()["comments"] == set()


def test_a_credential_that_does_not_see_is_no_witness(synced: Copied, sandbox: Sandbox) -> None:
    token = sandbox.tokens.repository("acme", "web")
    CredentialFactory.create(
        connection=synced.connection, secrets={"api_token": token}, settings={"repository": "web"}
    )
    place = Repository.objects.get(slug="api").uuid[1:-1]
    synced.sync()
    vanish(sandbox)
    # Who sees it has no more requests left when it is to be asked singly.
    sandbox.faults.add(rf"{place}%7D/pullrequests/\d+$", kind="429")
    sync = synced.start("full")

    engine.run_slice(sync.pk)

    assert gone()["pull requests"] == set()


def test_what_is_written_meanwhile_is_no_candidate(synced: Copied, sandbox: Sandbox) -> None:
    """Something else stores a record after the reading began, which its list did not show yet."""
    vanish(sandbox)

    def touch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "INSERT INTO ingestion_pullrequest AS" in sql and not touched:
            touched.append(1)
            row = PullRequest.objects.filter(repository__slug="api", number=9)
            row.update(changed_at=F("changed_at") + timedelta(days=1))
        return execute(sql, *rest)

    touched = list[int]()
    with database.execute_wrapper(touch):
        sync = synced.sync("full")

    assert touched
    assert sync.state == State.SUCCEEDED, sync.error
    assert gone()["pull requests"] == set()
    assert gone()["pipelines"] == {4}


def test_many_that_vanished_are_asked_about(synced: Copied, sandbox: Sandbox) -> None:
    for number in range(1, 5):
        sandbox.change.delete_pull_request(*API, number)

    sync = synced.sync("full")

    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["message"].startswith("4 of 12 pull requests of acme/api are not listed")
    assert gone()["pull requests"] == set()
    assert synced.sync().error == sync.error
    assert [confirm_gone(connection=synced.connection, by=Actor.system()) for _ in "ab"] == [
        True,
        False,
    ]

    following = synced.sync()

    assert following.state == State.SUCCEEDED, following.error
    assert gone()["pull requests"] == {1, 2, 3, 4}
    assert not Coverage.objects.exclude(missing=None).exists()


def test_more_that_vanish_after_the_answer_are_asked_about(
    synced: Copied, sandbox: Sandbox
) -> None:
    for number in range(1, 5):
        sandbox.change.delete_pull_request(*API, number)
    synced.sync("full")
    confirm_gone(connection=synced.connection, by=Actor.system())
    for number in range(5, 9):
        sandbox.change.delete_pull_request(*API, number)

    assert synced.sync("full").state == State.PARTIAL

    assert gone()["pull requests"] == set()


def test_what_had_rows_and_lists_none_is_an_error(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/(pullrequests|pipelines|deployments)\?", kind="empty_page")

    assert synced.sync("full").state == State.PARTIAL

    assert gone() == nothing()


def test_killed_at_every_commit_the_same_is_marked(
    synced: Copied, sandbox: Sandbox, lose_lease: Callable[[Sync], None]
) -> None:
    expected = vanish(sandbox)
    sync, deaths = synced.start("full"), 0
    while sync.state not in (State.SUCCEEDED, State.PARTIAL, State.FAILED):
        with killed_at(3):
            try:
                engine.run_slice(sync.pk)
            except Killed:
                deaths += 1
        sync.refresh_from_db()
        lose_lease(sync)
        assert deaths < 200

    assert deaths > 3
    assert sync.state == State.SUCCEEDED, sync.error
    assert gone() == expected


def test_a_reading_that_was_stopped_is_gone_on_with(
    synced: Copied, sandbox: Sandbox, lose_lease: Callable[[Sync], None]
) -> None:
    expected = vanish(sandbox)
    sync = synced.start("full")
    with killed_at(8), suppress(Killed):
        engine.run_slice(sync.pk)
    stood = share_done(stream_rows_of([sync])[sync.pk])
    assert cancel_sync(sync=sync, by=Actor.system())
    asked = len(sandbox.requests)

    again = retry_sync(sync=sync, trigger=Sync.Trigger.PERSON, by=Actor.system())
    shown = [share_done(stream_rows_of([again])[again.pk])]
    while again.state not in (State.SUCCEEDED, State.PARTIAL, State.FAILED):
        with killed_at(3), suppress(Killed):
            engine.run_slice(again.pk)
        again.refresh_from_db()
        lose_lease(again)
        shown.append(share_done(stream_rows_of([again])[again.pk]))

    assert 0 < stood <= shown[0] + 0.01
    assert min(shown) > stood / 3  # about how much there is becomes known on the way
    assert shown[-1] == 1
    assert again.state == State.SUCCEEDED, again.error
    assert gone() == expected
    lists = [
        one for one in sandbox.requests[asked:] if _fits(r"^/2.0/repositories/[^/]+$", one.path)
    ]
    assert not lists  # what ended well is not read again


def _fits(pattern: str, path: str) -> bool:
    return re.search(pattern, path) is not None
