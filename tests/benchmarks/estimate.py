"""Estimate: what a first sync of 20 repositories × 200 pull requests will take, told before it."""

import json
import time
from collections.abc import Iterator
from urllib.request import urlopen

from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import installed, simulated


def before_the_first_sync(around: Surroundings) -> Iterator[Figure]:
    """The estimate, and then the sync that it is about."""
    with simulated(latency=0.03) as bitbucket, installed(around, bitbucket) as made:
        asked, begun = asked_so_far(bitbucket), time.monotonic()
        told = made.api.get(f"connections.estimate/{made.connection}")
        lasted = time.monotonic() - begun
        asked = asked_so_far(bitbucket) - asked
        made.house.worker()
        first = made.sync()
        error = abs(told["requests"] - first["requests"]) / first["requests"]
        yield Figure(measure="requests to make it", value=asked, at_most=40)
        yield Figure(measure="time to make it, 30 ms", value=lasted, unit="s")
        yield Figure(measure="requests, told", value=told["requests"])
        yield Figure(measure="requests, taken", value=first["requests"])
        yield Figure(measure="error", value=100 * error, unit="%", at_most=10)


def asked_so_far(bitbucket: dict[str, str]) -> int:
    """How many requests the simulated Bitbucket has had."""
    with urlopen(f"{bitbucket['control_url']}requests") as answer:
        return int(json.load(answer)["count"])


RUNS = (before_the_first_sync,)
