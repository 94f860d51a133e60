"""Quota: what one credential and five ask in a scaled-down window, until each waits for the next:
40 repositories × 200 pull requests, 200 requests in a window of ten minutes.
"""

import time
from collections.abc import Iterator
from typing import Any

import requests

from config.demo import connections
from config.demo.connections import UNFINISHED
from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import Installed, installed, simulated

LIMIT, WINDOW = 200, 600


def side_by_side(around: Surroundings) -> Iterator[Figure]:
    """How much five ask for each request of one, and how long a check takes meanwhile."""
    with (
        simulated(latency=0, repositories=40, quota_limit=LIMIT, quota_window=WINDOW) as bitbucket,
        installed(around, bitbucket, QUOTA_LIMIT=str(LIMIT), QUOTA_WINDOW=str(WINDOW)) as made,
    ):
        made.house.worker()
        one, check = _until_it_waits(made)["requests"], _verify(made)
        made.api.post("connections.delete", id=made.connection)
        made.connection = connections.connect(made.api, "Acme", "acme", _token(made))["id"]
        for _ in range(4):
            where = f"connections/{made.connection}/credentials.create"
            made.api.post(where, secrets={"api_token": _token(made)})
        five = _until_it_waits(made)["requests"]
        yield Figure(measure="requests of one, until it waits", value=one)
        yield Figure(measure="five against one", value=five / one, unit="×", at_least=4.8)
        yield Figure(measure="a check meanwhile", value=check, unit="s", at_most=3)


def _token(made: Installed) -> str:
    """One more workspace token: a window of its own."""
    where = f"{made.bitbucket['url']}/control/tokens"
    answer = requests.post(where, json={"kind": "workspace", "workspace": "acme"}, timeout=10)
    return str(answer.json()["secret"])


def _until_it_waits(made: Installed) -> dict[str, Any]:
    """Start a sync; its row once all windows are used up. Raises RuntimeError for another end."""
    method = f"connections/{made.connection}/syncs"
    sync = made.api.post(f"{method}.start", mode="incremental")["sync"]
    while sync["state"] in UNFINISHED and sync["reason"] != "quota":
        time.sleep(0.2)
        sync = made.api.get(f"{method}.info/{sync['id']}")["sync"]
    if sync["reason"] != "quota":
        raise RuntimeError(f"The sync ended as {sync['state']}: {sync['error']}")
    return dict(sync)


def _verify(made: Installed) -> float:
    """Seconds that a verification takes; raises RuntimeError where it finds nothing left."""
    started = time.monotonic()
    found = made.api.post("connections.verify", id=made.connection)["verification"]
    if found["outcome"] != "ok":
        raise RuntimeError(f"The verification ended as {found['outcome']}.")
    return time.monotonic() - started


RUNS = (side_by_side,)
