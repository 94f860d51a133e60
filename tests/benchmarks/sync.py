"""Sync: 20 repositories × 200 pull requests (5 updates on each, 3 comments on every second, an
approval on every third), 50 pipelines per repository, 40 people; one credential.
"""

from collections.abc import Iterator

import requests

from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import Installed, installed, peak, rows, seconds, simulated

PULL_REQUESTS_CHANGED = 50


def at_30_ms(around: Surroundings) -> Iterator[Figure]:
    """A first sync as fast as Bitbucket lets it, and one with nothing new."""
    with simulated(latency=0.03) as bitbucket, installed(around, bitbucket) as made:
        worker = made.house.worker()
        first, again = made.sync(), made.sync()
        change(made, PULL_REQUESTS_CHANGED)
        changed = made.sync()
        yield Figure(measure="requests, first sync", value=first["requests"], at_most=750)
        yield Figure(measure="requests, nothing new", value=again["requests"], at_most=45)
        yield Figure(
            measure=f"requests, {PULL_REQUESTS_CHANGED} changed pull requests",
            value=changed["requests"],
            at_most=145,
        )
        aim = 6 if around.is_postgres else None
        yield Figure(measure="first sync, 30 ms", value=seconds(first), unit="s", at_most=aim)
        yield Figure(measure="nothing new, 30 ms", value=seconds(again), unit="s")
        yield Figure(measure="rows, first sync", value=rows(first))
        yield Figure(measure="peak memory", value=peak(worker.pid), unit="MB", at_most=180)


def at_0_ms(around: Surroundings) -> Iterator[Figure]:
    """A first sync as fast as this machine lets it; the simulated Bitbucket shares its cores."""
    with simulated(latency=0) as bitbucket, installed(around, bitbucket) as made:
        made.house.worker()
        first = made.sync()
        aim = 8_000 if around.is_postgres else None
        yield Figure(
            measure="rows per second, 0 ms", value=rows(first) / seconds(first), at_least=aim
        )


def change(made: Installed, count: int) -> None:
    """Write a comment on so many pull requests, of all repositories by turns."""
    found = made.api.get(f"connections/{made.connection}/repositories.list", limit="100")
    slugs = sorted(row["slug"] for row in found["repositories"])
    for n in range(count):
        where = {"workspace": "acme", "repository": slugs[n % len(slugs)], "number": n + 1}
        requests.post(f"{made.bitbucket['control_url']}change/comment", json=where, timeout=30)


RUNS = (at_30_ms, at_0_ms)
