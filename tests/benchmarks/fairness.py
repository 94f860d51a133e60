"""Fairness: a first sync of 5 repositories × 200 pull requests, alone, and beside another
organization's of 80, which began before; each with a token of its own, one worker, 30 ms.
"""

import time
from collections.abc import Iterator
from typing import Any

import requests

from config.demo import connections
from config.demo.api import Api
from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import Installed, installed, simulated
from tests.house import wait_until

MANY, FEW = 80, 5
BEFORE = 100  # requests, so that the large one is in the midst of its work


def beside_a_large_one(around: Surroundings) -> Iterator[Figure]:
    """From asking for the sync to its end. SQLite has one slot, in which they take turns."""
    with (
        simulated(latency=0.03, repositories=MANY) as bitbucket,
        installed(around, bitbucket, name="Large") as made,
    ):
        made.house.worker()
        of_few(made, "Before")  # the worker has started, and is warm
        alone, first = of_few(made, "Alone")
        large = made.api.post(f"connections/{made.connection}/syncs.start", mode="incremental")
        wait_until(lambda: info(made, large)["requests"] > BEFORE, seconds=120)
        beside, second = of_few(made, "Beside")
        if info(made, large)["state"] not in connections.UNFINISHED:
            raise RuntimeError("The large sync was over before the small one.")
        times = 2 if around.is_postgres else None
        yield Figure(measure="5 repositories, alone", value=alone, unit="s")
        yield Figure(measure="5 repositories, beside 80", value=beside, unit="s")
        yield Figure(measure="beside against alone", value=beside / alone, unit="×", at_most=times)
        more = second["requests"] - first["requests"]
        yield Figure(measure="requests more", value=more, at_most=FEW)


def of_few(made: Installed, organization: str) -> tuple[float, dict[str, Any]]:
    """How long a sync of few repositories takes a new organization, in seconds; and its row."""
    control = made.bitbucket["control_url"]
    api: Api = made.house.organization(organization)
    wanted = {"kind": "workspace", "workspace": "acme"}
    token = requests.post(f"{control}tokens", json=wanted, timeout=10).json()["secret"]
    shown = requests.get(f"{control}state", timeout=10).json()["workspaces"]
    there = next(one["repositories"] for one in shown if one["slug"] == "acme")
    few = {"mode": "chosen", "ids": [one["uuid"] for one in there[:FEW]]}
    chosen = {"repositories": few}
    connection = connections.connect(api, "Acme", "acme", token, selection=chosen)["id"]
    begun = time.monotonic()
    row = connections.sync(api, connection)
    if row["state"] != "succeeded":
        raise RuntimeError(f"The sync ended as {row['state']}: {row['error']}")
    return time.monotonic() - begun, row


def info(made: Installed, started: dict[str, Any]) -> dict[str, Any]:
    """The row of a sync as it is now."""
    method = f"connections/{made.connection}/syncs.info/{started['sync']['id']}"
    found: dict[str, Any] = made.api.get(method)["sync"]
    return found


RUNS = (beside_a_large_one,)
