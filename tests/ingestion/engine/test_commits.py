"""Commits: what branches lead to, by the tips as they were; and what they lead to no more."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ingestion.models import Commit, Coverage, State
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox, Scale
from tests.sandbox.world import Repository

PLACE = ("acme", "api")


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=1, pull_requests=30, pipelines=0, people=3)


@pytest.fixture
def copied(connect: Callable[..., Copied]) -> Copied:
    return connect().choose("commits")


@pytest.fixture
def synced(copied: Copied) -> Copied:
    copied.sync()
    return copied


def reachable(api: Repository) -> set[str]:
    """The hashes to which branches lead."""
    found, waiting = set[str](), list(api.branches.values())
    while waiting:
        one = waiting.pop()
        if one in api.commits and one not in found:
            found.add(one)
            waiting += api.commits[one].parents
    return found


def here() -> set[str]:
    return set(Commit.objects.filter(removed_at=None).values_list("hash", flat=True))


def test_every_commit_of_every_branch_arrives(copied: Copied, api: Repository) -> None:
    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    assert len(api.branches) > 1
    for commit in Commit.objects.select_related("author"):
        there = api.commits[commit.hash]
        assert (commit.message, commit.parents) == (there.message, list(there.parents))
        assert commit.committed_on == there.date
        assert commit.author_text == ("" if there.user else there.raw_author)
        assert (commit.author.uuid if commit.author else None) == (
            there.user.uuid if there.user else None
        )
    assert set(Coverage.objects.get(stream="commits").heads) == set(api.branches.values())


def test_sync_with_nothing_new_asks_for_the_tips_only(synced: Copied, sandbox: Sandbox) -> None:
    asked = sandbox.count("/commits")

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED
    assert sandbox.count("/commits") == asked
    assert sandbox.count("/refs/branches") == 2


def test_push_brings_what_is_new_with_one_question(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    sandbox.change.push_main(*PLACE)
    sandbox.change.push_branch(*PLACE, "topic", count=3)
    asked = sandbox.count("/commits")

    sync = synced.sync()

    row = sync.stream_runs.get(stream="commits", repository=None)
    assert (row.read, row.created, row.removed) == (4, 4, 0)
    assert here() == reachable(api)
    assert sandbox.count("/commits") == asked + 1


def test_force_push_drops_what_no_branch_leads_to(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    dropped = {sandbox.change.push_main(*PLACE), sandbox.change.push_main(*PLACE)}
    synced.sync()
    sandbox.change.force_push_main(*PLACE)
    sandbox.change.force_push_main(*PLACE)

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    gone = Commit.objects.exclude(removed_at=None)
    assert set(gone.values_list("hash", flat=True)) == dropped
    assert sync.counts["removed"] == 2


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["short_page", "empty_page", "truncated"])
def test_a_short_list_of_what_was_dropped_heals(
    synced: Copied, sandbox: Sandbox, api: Repository, kind: str, times: int
) -> None:
    sandbox.change.push_branch(*PLACE, "topic", count=40)
    synced.sync()
    sandbox.change.delete_branch(*PLACE, "topic")
    sandbox.faults.add("/commits", kind=kind, times=times)

    synced.sync()
    sandbox.faults.clear()
    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    assert synced.sync().state == State.SUCCEEDED
    coverage = Coverage.objects.get(stream="commits")
    assert not coverage.lost_heads
    asked = sandbox.count("/commits")
    synced.sync()
    assert sandbox.count("/commits") == asked


def test_a_short_list_that_shows_what_is_known_is_no_end(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    tip = sandbox.change.push_branch(*PLACE, "topic", count=1)
    last = sandbox.change.push_branch(*PLACE, "topic", count=8)
    api.commits[tip].date += timedelta(minutes=2)  # by a clock that is fast: it is listed first,
    api.commits[last].date += timedelta(minutes=1)  # and what leads to it behind it
    synced.sync()
    sandbox.change.delete_branch(*PLACE, "topic")
    sandbox.faults.add("/commits", kind="short_page", times=2)

    synced.sync()
    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)


def test_what_a_walk_that_was_refused_brought_is_dropped_with_its_branch(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    sandbox.change.push_branch(*PLACE, "topic", count=40)
    sandbox.faults.add("/commits", kind="short_page", times=1)
    assert synced.sync().state == State.PARTIAL
    sandbox.change.delete_branch(*PLACE, "topic")
    assert here() > reachable(api)

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)


def test_what_a_forgotten_head_led_to_is_dropped_with_it(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    tip = sandbox.change.push_branch(*PLACE, "topic", count=5)
    synced.sync()
    sandbox.change.delete_branch(*PLACE, "topic")
    parents = api.commits[tip].parents
    sandbox.change.forget_commit(*PLACE, tip)
    sandbox.change.forget_commit(*PLACE, parents[0])

    synced.sync()
    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    assert Commit.objects.exclude(removed_at=None).count() == 5


@pytest.mark.parametrize("kind", ["short_page", "empty_page"])
def test_a_push_whose_list_comes_without_it_is_asked_for_again(
    synced: Copied, sandbox: Sandbox, api: Repository, kind: str
) -> None:
    sandbox.change.push_branch(*PLACE, "topic", count=4)
    sandbox.faults.add("/commits", kind=kind, times=1)

    first = synced.sync()
    second = synced.sync()

    assert (first.state, second.state) == (State.PARTIAL, State.SUCCEEDED)
    assert here() == reachable(api)


def test_what_was_dropped_comes_back_with_its_branch(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    tip = sandbox.change.push_branch(*PLACE, "topic", count=2)
    synced.sync()
    sandbox.change.delete_branch(*PLACE, "topic")
    synced.sync()
    assert Commit.objects.exclude(removed_at=None).count() == 2
    api.branches["topic"] = tip
    sandbox.change.push_main(*PLACE)

    synced.sync()

    assert here() == reachable(api)


def test_merged_branch_that_is_gone_drops_nothing(synced: Copied, sandbox: Sandbox) -> None:
    sandbox.change.push_branch(*PLACE, "topic", count=2)
    synced.sync()
    sandbox.change.merge_branch(*PLACE, "topic")
    asked = sandbox.count("/commits")

    sync = synced.sync()

    assert sync.counts["removed"] == 0
    assert sandbox.count("/commits") == asked + 1


def test_heads_that_bitbucket_has_forgotten_are_left_out(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    lost = sandbox.change.push_main(*PLACE)
    synced.sync()
    sandbox.change.force_push_main(*PLACE)
    sandbox.change.forget_commit(*PLACE, lost)
    sandbox.change.push_main(*PLACE)

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    assert Commit.objects.get(hash=lost).removed_at


def test_many_heads_are_sent_as_a_form(synced: Copied, sandbox: Sandbox, api: Repository) -> None:
    for number in range(120):
        sandbox.change.push_branch(*PLACE, f"topic-{number}")
    synced.sync()
    sandbox.change.push_main(*PLACE)

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    forms = [one for one in sandbox.requests if one.method == "POST" and "/commits" in one.path]
    assert len(forms) == 2
    assert max(len(one.path) for one in sandbox.requests) < 3000


@pytest.mark.parametrize("kind", ["no_values", "empty_page"])
def test_a_list_with_a_hole_is_asked_for_again(
    copied: Copied, sandbox: Sandbox, api: Repository, kind: str
) -> None:
    for number in range(5):
        sandbox.change.push_branch(*PLACE, f"topic-{number}", count=60)
    sandbox.faults.add("/commits", kind=kind, times=1, after=1)

    first = copied.sync()
    whole = here() == reachable(api)
    second = copied.sync()

    assert not whole
    assert (first.state, second.state) == (State.PARTIAL, State.SUCCEEDED)
    assert here() == reachable(api)


@pytest.mark.parametrize(
    "cursor_dies", [False, True], ids=["goes on at its cursor", "begins anew where that has died"]
)
def test_walk_that_was_stopped_goes_on(
    copied: Copied, sandbox: Sandbox, api: Repository, cursor_dies: bool
) -> None:
    sandbox.change.push_branch(*PLACE, "topic", count=250)
    sandbox.faults.add("/commits", status=500, after=1)
    assert copied.sync().state == State.PARTIAL
    assert Coverage.objects.get(stream="commits").heads is None
    sandbox.faults.clear()
    if cursor_dies:
        sandbox.faults.add("/commits.*ctx", status=404, times=1)
    sandbox.change.push_main(*PLACE)
    asked = sandbox.count("/commits")

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)
    assert set(Coverage.objects.get(stream="commits").heads) == set(api.branches.values())
    assert sandbox.count("/commits") - asked <= (6 if cursor_dies else 4)


def test_branches_that_are_gone_altogether_are_an_error(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    before = here()
    for branch in list(api.branches):
        sandbox.change.delete_branch(*PLACE, branch)

    sync = synced.sync()

    assert sync.state == State.PARTIAL
    assert here() == before


def test_empty_list_of_branches_is_made_good_by_the_next_sync(
    synced: Copied, sandbox: Sandbox, api: Repository
) -> None:
    sandbox.faults.add(r"/refs/branches", kind="empty_page", only_pages=True)
    assert synced.sync().state == State.PARTIAL
    sandbox.faults.clear()
    sandbox.change.push_main(*PLACE)

    sync = synced.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert here() == reachable(api)


@pytest.fixture
def since(copied: Copied, api: Repository) -> datetime:
    """A history window that begins in the midst of what there is."""
    middle = sorted(one.date for one in api.commits.values())[len(api.commits) // 2]
    begin = middle.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    copied.connection.selection["since"] = f"{begin:%Y-%m-%d}"
    copied.connection.save()
    return begin


def younger(api: Repository, since: datetime) -> set[str]:
    """The hashes of the window to which branches lead."""
    return {one for one in reachable(api) if api.commits[one].date >= since}


def test_history_window_ends_the_walk_and_a_wider_one_reads_on(
    copied: Copied, api: Repository, since: datetime
) -> None:
    copied.sync()
    narrow = here()
    copied.connection.selection["since"] = None
    copied.connection.save()

    copied.sync()

    assert narrow == younger(api, since)
    assert here() == reachable(api)


@pytest.mark.parametrize("kind", ["short_page", "empty_page"])
def test_a_list_without_what_is_new_is_not_taken_for_one_of_old_commits(
    copied: Copied, sandbox: Sandbox, api: Repository, since: datetime, kind: str
) -> None:
    assert copied.sync().state == State.SUCCEEDED
    sandbox.change.push_branch(*PLACE, "topic", count=4)
    sandbox.faults.add("/commits", kind=kind, times=1)

    first = copied.sync()
    second = copied.sync()

    assert (first.state, second.state) == (State.PARTIAL, State.SUCCEEDED)
    assert here() == younger(api, since)


def test_a_page_of_other_commits_does_not_tell_that_what_is_lacking_is_old(
    copied: Copied, sandbox: Sandbox, api: Repository, since: datetime
) -> None:
    old = min(api.commits.values(), key=lambda one: one.date)
    page = {"values": [{"hash": old.hash, "date": old.date.isoformat(), "parents": []}]}
    sandbox.faults.add("/commits", kind="short_page", times=1)
    sandbox.faults.add("/commits", body=json.dumps(page), times=1)

    told, asked_again, walked_again = copied.sync(), copied.sync(), copied.sync()

    assert (told.state, asked_again.state) == (State.PARTIAL, State.PARTIAL)
    assert walked_again.state == State.SUCCEEDED, walked_again.error
    assert here() == younger(api, since)


def test_a_hole_within_the_window_is_found_behind_a_stop(
    copied: Copied, sandbox: Sandbox, api: Repository, since: datetime
) -> None:
    for number in range(4):
        sandbox.change.push_branch(*PLACE, f"topic-{number}", count=60)
    sandbox.faults.add("/commits", kind="short_page", times=1)
    sandbox.faults.add("/commits", status=500, after=1, times=1)
    first, second = copied.sync(), copied.sync()
    whole = here() == younger(api, since)

    third = copied.sync()

    assert not whole
    assert (first.state, second.state, third.state) == ("partial", "partial", "succeeded")
    assert here() == younger(api, since)


def test_a_branch_that_begins_before_the_window_is_asked_about_once(
    copied: Copied, sandbox: Sandbox, api: Repository, since: datetime
) -> None:
    copied.sync()
    api.branches["old"] = min(api.commits.values(), key=lambda one: one.date).hash
    sandbox.site.changed()
    asked = sandbox.count("/commits")

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    assert sandbox.count("/commits") == asked + 2
    assert here() == younger(api, since)
    copied.sync()
    assert sandbox.count("/commits") == asked + 2


def test_full_sync_reads_all_and_changes_nothing(synced: Copied) -> None:
    before = all_rows()

    sync = synced.sync(mode="full")

    assert sync.counts["read"] >= len(before["Commit"])
    assert sync.counts["created"] == sync.counts["updated"] == 0
    assert all_rows() == before
