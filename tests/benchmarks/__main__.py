"""`make bench`: a first sync, and one with nothing new, in real processes. Prints a table.

20 repositories with 200 pull requests each (5 updates on each, 3 comments on every second, an
approval on every third), 50 pipelines per repository, 40 people; 30 ms before each answer.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from config.demo import connections
from config.demo.bitbucket import ACME_TOKEN
from tests.house import ROOT, House, services
from tests.surroundings import PORTS, listens

HEADINGS = ("set-up", "sync", "seconds", "requests", "rows", "rows/s", "peak memory", "ended")


@dataclass(frozen=True)
class Measured:
    """What one sync took. Memory is the largest resident size of one process of the worker."""

    setup: str
    sync: str
    seconds: float
    requests: int
    rows: int
    megabytes: float
    state: str

    def cells(self) -> tuple[str, ...]:
        speed = self.rows / self.seconds if self.seconds else 0.0
        return (
            self.setup,
            self.sync,
            f"{self.seconds:.2f}",
            f"{self.requests:,}",
            f"{self.rows:,}",
            f"{speed:,.0f}",
            f"{self.megabytes:.0f} MB",
            self.state,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--pull-requests", type=int, default=200, help="in each repository")
    parser.add_argument("--latency", type=float, default=0.03, help="seconds before each answer")
    options = parser.parse_args()
    rows = [Measured.cells(each) for each in measure(options.pull_requests, options.latency)]
    print_table([HEADINGS, *rows])


def measure(pull_requests: int, latency: float) -> Iterator[Measured]:
    """Both syncs on each set-up that this machine has."""
    with simulated(pull_requests, latency) as bitbucket:
        if all(listens(port) for port in PORTS.values()):
            with services("bench") as settings:
                yield from in_house("PostgreSQL", bitbucket, settings)
        else:
            print("PostgreSQL and Redis do not answer: SQLite alone is measured", file=sys.stderr)
        yield from in_house("SQLite", bitbucket, {})


@contextmanager
def simulated(pull_requests: int, latency: float) -> Iterator[dict[str, str]]:
    """A sandbox as a process of its own; its addresses."""
    size = ("--repositories", "20", "--pull-requests", str(pull_requests), "--pipelines", "50")
    command = [sys.executable, "-m", "tests.sandbox", "--demo", "--plain", "--people", "40", *size]
    command += ["--latency", str(latency), "--quota-limit", "1000000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def in_house(setup: str, bitbucket: dict[str, str], settings: dict[str, str]) -> Iterator[Measured]:
    """A new installation; the first sync of a connection, and the next."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tributary-bench-")))
        own = {"SYNC_LEASE": "25", "TICK": "10", "LOG_LEVEL": "WARNING", **settings}
        house = House(folder, bitbucket, own)
        stack.callback(house.close)
        house.prepare()
        house.open_web()
        house.beat()
        worker = house.worker()
        api = house.organization("Bench")
        made = connections.connect(api, "Acme", "acme", ACME_TOKEN)
        for name in ("first", "nothing new"):
            row = connections.sync(api, made["id"])
            yield measured(setup, name, row, peak(worker.pid))


def measured(setup: str, name: str, row: dict[str, Any], megabytes: float) -> Measured:
    return Measured(
        setup=setup,
        sync=name,
        seconds=(moment(row["finished_at"]) - moment(row["started_at"])).total_seconds(),
        requests=row["requests"],
        rows=sum(row["counts"].get(kind, 0) for kind in ("created", "updated")),
        megabytes=megabytes,
        state=row["state"],
    )


def moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


def peak(pid: int) -> float:
    """The largest resident size so far of a process or one of its children, in megabytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(_high_water(int(each)) for each in (pid, *children))


def _high_water(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    main()
