"""Refresh: 20 workers (4 processes with 5 threads each) that need one authorization at once, with
a token endpoint that takes 8 s, while somebody else writes all the time.
"""

import json
from collections.abc import Iterator

import requests

from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import simulated
from tests.house import House

TOKEN_ENDPOINT = 8  # seconds


def at_once(around: Surroundings) -> Iterator[Figure]:
    """One of them renews, and nobody waits for the database meanwhile."""
    with simulated(20, latency=0, repositories=1) as bitbucket:
        house = House(around.folder, bitbucket, {"LOG_LEVEL": "WARNING", **around.settings})
        try:
            house.prepare()
            told = json.loads(house.python("-m", "tests.refreshers", str(TOKEN_ENDPOINT)))
        finally:
            house.close()
        asked = requests.get(
            f"{bitbucket['control_url']}requests", {"path": "access_token"}, timeout=5
        ).json()
    # One request was the consent's own.
    yield Figure(measure="requests that refresh", value=asked["count"] - 1, at_most=1)
    yield Figure(measure="different tokens used", value=told["tokens"], at_most=1)
    yield Figure(measure="until all 20 have it", value=told["seconds"], unit="s")
    yield Figure(measure="slowest write meanwhile", value=told["slowest"], unit="s", at_most=1)


RUNS = (at_once,)
