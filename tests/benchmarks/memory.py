"""Memory: the largest resident size of a worker's process after a first sync without latency, of
20 repositories with 200 and with 2,000 pull requests each.
"""

from collections.abc import Iterator

from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import installed, peak, simulated

SIZES = (200, 2_000)


def peaks(around: Surroundings) -> Iterator[Figure]:
    """Each size with a worker of its own."""
    found = [of(size, around) for size in SIZES]
    for size, value in zip(SIZES, found, strict=True):
        yield Figure(measure=f"peak memory, 20 × {size:,}", value=value, unit="MB", at_most=180)
    apart = 100 * (max(found) / min(found) - 1)
    yield Figure(measure="apart", value=apart, unit="%", at_most=10)


def of(size: int, around: Surroundings) -> float:
    with (
        simulated(size, latency=0) as bitbucket,
        installed(around, bitbucket, name=f"Memory {size}") as made,
    ):
        worker = made.house.worker()
        made.sync(seconds=900)
        return peak(worker.pid)


RUNS = (peaks,)
