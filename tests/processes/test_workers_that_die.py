"""A worker is killed, or stopped and woken again: the rows are those of an undisturbed sync."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from config.demo import connections
from config.demo.api import Api
from tests.house import House, end, stop_between_transactions, wait_until
from tests.sandbox import Sandbox

SECONDS = 120
QUIET = "Undisturbed"  # the organization whose sync nobody disturbs
_ended: dict[House, dict[str, Any]] = {}


@pytest.fixture(autouse=True)
def _slow_answers(world: Sandbox) -> Iterator[None]:
    """Answers slow enough to be interrupted in their midst."""
    world.latency = 0.1
    yield
    world.latency = 0.0


def test_killed_in_the_middle(house: House, world: Sandbox) -> None:
    quiet = undisturbed(house, world)
    api, started = begin(house, world, "Killed")
    first = house.worker("killed")
    wait_for_requests(house, world, 20)

    end(first, signal.SIGKILL)
    house.worker("second")
    ended = wait_for_end(api, started)

    assert ended["state"] == quiet["state"] == "succeeded"
    assert_same_rows(house, world, "Killed")


def test_stopped_past_its_lease_and_woken_again(house: House, world: Sandbox) -> None:
    quiet = undisturbed(house, world)
    api, started = begin(house, world, "Stopped")
    first = house.worker("stopped")
    wait_for_requests(house, world, 20)

    stop_between_transactions(house, first)
    time.sleep(4)  # its lease is 3 seconds
    house.worker("successor")
    wait_for_requests(house, world, 1)
    end(first, signal.SIGCONT)
    ended = wait_for_end(api, started)

    assert ended["state"] == quiet["state"] == "succeeded"
    assert_same_rows(house, world, "Stopped")


def begin(house: House, world: Sandbox, name: str) -> tuple[Api, dict[str, Any]]:
    """A new organization with a connection whose first sync is queued; no worker lives."""
    api = house.organization(name)
    token = world.tokens.workspace("acme")
    made = connections.connect(api, "Acme", "acme", token)
    return api, api.post(f"connections/{made['id']}/syncs.start", mode="incremental")["sync"]


def undisturbed(house: House, world: Sandbox) -> dict[str, Any]:
    """A sync that nobody disturbs; once in each house."""
    if house not in _ended:
        api, started = begin(house, world, QUIET)
        house.worker("undisturbed")
        _ended[house] = wait_for_end(api, started)
        house.end_workers()
    return _ended[house]


def wait_for_requests(house: House, world: Sandbox, number: int) -> None:
    """Wait until so many more requests have been served."""
    before = len(world.requests)
    try:
        wait_until(lambda: len(world.requests) >= before + number, seconds=SECONDS)
    except TimeoutError as error:
        error.add_note(house.last_words())
        raise


def wait_for_end(api: Api, sync: dict[str, Any]) -> dict[str, Any]:
    """The row of a sync, once it has ended."""
    method = f"connections/{sync['connection_id']}/syncs.info/{sync['id']}"
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        row: dict[str, Any] = api.get(method)["sync"]
        if row["state"] not in connections.UNFINISHED:
            return row
        time.sleep(0.2)
    raise TimeoutError(f"the sync is still {row['state']}")


def assert_same_rows(house: House, world: Sandbox, other: str) -> None:
    rows = house.rows()
    assert rows[QUIET].keys() == rows[other].keys()
    there = world.world.workspaces["acme"].repositories.values()
    assert len(rows[QUIET]["PullRequest"]) == sum(len(one.pull_requests) for one in there)
    for table, expected in rows[QUIET].items():
        assert rows[other][table] == expected, table
