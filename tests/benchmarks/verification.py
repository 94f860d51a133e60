"""Verification: the eight checks of a workspace access token, side by side, 100 ms before each
answer.
"""

import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import installed, simulated

TIMES = 5


def at_100_ms(around: Surroundings) -> Iterator[Figure]:
    """From the request of the API to its answer; nothing else waits for it."""
    with simulated(latency=0.1) as bitbucket, installed(around, bitbucket) as made:
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = made.api.post("connections.verify", id=made.connection)
            took.append(time.perf_counter() - began)
        checks = [one for one in answer["verification"]["checks"] if one["outcome"] == "ok"]
        yield Figure(measure="checks", value=len(checks), at_least=8)
        yield Figure(measure="verification, 100 ms", value=median(took), unit="s", at_most=0.5)


RUNS = (at_100_ms,)
