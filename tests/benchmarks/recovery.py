"""Recovery: from `kill -9` of a worker to the first request of the one that goes on, as shipped:
a lease of 25 seconds, a tick every 10. The other worker was there all the time.
"""

import signal
import time
from collections.abc import Iterator
from typing import Any

import requests

from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import Installed, installed, simulated
from tests.house import end, wait_until

BEFORE = 60  # requests, so that the worker is in the midst of its work


def going_on(around: Surroundings) -> Iterator[Figure]:
    with simulated(latency=0.2) as bitbucket, installed(around, bitbucket) as made:
        first = made.house.worker("first")
        started = start(made)
        wait_until(lambda: asked(made) > BEFORE, seconds=60)
        made.house.worker("second")
        time.sleep(5)  # it has started by then

        end(first, signal.SIGKILL)
        killed = time.monotonic()
        time.sleep(2)  # what the dead one had asked is answered, and counted, by then
        before = asked(made)
        wait_until(lambda: asked(made) > before, seconds=120)

        yield Figure(
            measure="kill -9 to going on", value=time.monotonic() - killed, unit="s", at_most=45
        )
        assert started["state"] in ("queued", "running")


def start(made: Installed) -> dict[str, Any]:
    path = f"connections/{made.connection}/syncs.start"
    found: dict[str, Any] = made.api.post(path, mode="incremental")["sync"]
    return found


def asked(made: Installed) -> int:
    """How often Bitbucket was asked so far."""
    url = f"{made.bitbucket['control_url']}requests"
    return int(requests.get(url, params={"path": "/2.0/"}, timeout=30).json()["count"])


RUNS = (going_on,)
