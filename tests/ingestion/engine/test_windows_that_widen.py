"""The history window is widened while a walk stands somewhere in the old one: no hole stays."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.models import Commit, Coverage, Event, State
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox, Scale
from tests.sandbox.generation.commits import add_commit
from tests.sandbox.generation.discussions import write_comment
from tests.sandbox.generation.draw import Draw
from tests.sandbox.world import Repository

PLACE = ("acme", "api")


def begin_at(copied: Copied, sandbox: Sandbox, days: int) -> datetime:
    """The window is set to so many days; its beginning."""
    day = (sandbox.clock.now() - timedelta(days=days)).date()
    copied.connection.selection = {**copied.connection.selection, "since": day.isoformat()}
    copied.connection.save()
    return datetime.combine(day, datetime.min.time(), UTC)


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=0, pipelines=0, people=3)])
@pytest.mark.parametrize("when", ["first", "later"])
def test_commits_of_a_window_that_is_widened_while_their_walk_stands(
    copied: Copied, sandbox: Sandbox, api: Repository, when: str
) -> None:
    copied.choose("commits")
    draw = Draw("line")
    for hour in range(170 * 24, 0, -6):  # four commits a day on one line
        date = sandbox.clock.now() - timedelta(hours=hour)
        tip = api.branches["main"]
        api.branches["main"] = add_commit(api, draw, None, date, "One", (tip,)).hash
    sandbox.site.changed()
    begin_at(copied, sandbox, 30)
    if when == "later":
        assert copied.sync().state == State.SUCCEEDED
        sandbox.change.push_main(*PLACE)
    fault = sandbox.faults.add(r"/commits\?", status=500)
    assert copied.sync().state == State.PARTIAL
    sandbox.faults.remove(fault)
    begin = begin_at(copied, sandbox, 120)

    states = [copied.sync().state, copied.sync().state]

    assert states == [State.SUCCEEDED] * 2
    assert Coverage.objects.get(stream="commits").covered_from == begin
    inside = {one.hash for one in api.commits.values() if one.date >= begin}
    here = set(Commit.objects.values_list("hash", flat=True))
    assert not inside - here, f"{len(inside - here)} of {len(inside)} never came"


@pytest.mark.parametrize("scale", [Scale(repositories=1, pull_requests=60, pipelines=0, people=6)])
def test_entries_at_the_edge_of_a_window_that_is_widened_while_the_feed_stands(
    copied: Copied, sandbox: Sandbox, api: Repository
) -> None:
    edge = begin_at(copied, sandbox, 60)
    one = max(
        (pr for pr in api.pull_requests.values() if pr.created_on < edge - timedelta(hours=2)),
        key=lambda pr: pr.created_on,
    )
    for number in range(160):
        date = edge - timedelta(minutes=50) + timedelta(seconds=15 * number)
        said = write_comment(sandbox.world, one, one.author, f"{number}", date)
        assert one.activity[-1].comment is said
        api.feed.append(one.activity[-1])
    one.updated_on = max(one.updated_on, edge + timedelta(hours=1))
    sandbox.site.changed()
    later = sum(entry.date >= edge for entry in api.feed)
    pages = later // 50 + 2  # the last of them shows nothing but what lies before the window
    fault = sandbox.faults.add(r"/pullrequests/activity", status=500, after=pages)
    assert copied.sync().state == State.PARTIAL
    assert Coverage.objects.get(stream="pull_request_activity").checkpoint
    sandbox.faults.remove(fault)
    begin = begin_at(copied, sandbox, 170)

    states = [copied.sync().state, copied.sync().state]

    assert states == [State.SUCCEEDED] * 2
    assert Coverage.objects.get(stream="pull_request_activity").covered_from == begin
    there = {
        (entry.pull_request.id, entry.date)
        for pr in api.pull_requests.values()
        if pr.updated_on >= begin
        for entry in pr.activity
        if not (entry.comment and entry.comment.vanished)
    }
    here = set(Event.objects.values_list("pull_request__number", "happened_at"))
    lost = sorted(there - here, key=lambda pair: pair[1])
    first, last = (lost[0][1] - edge, lost[-1][1] - edge) if lost else (None, None)
    assert not lost, f"{len(lost)} never came, of #{ {n for n, _ in lost} }, from {first} to {last}"
