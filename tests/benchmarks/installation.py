"""A whole installation to measure: a simulated Bitbucket and a worker, each a process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from config.demo import connections
from config.demo.api import Api
from config.demo.bitbucket import ACME_TOKEN
from tests.benchmarks.figures import Surroundings
from tests.house import ROOT, House

LOOK = 1.0  # seconds between two looks at a sync
AS_SHIPPED = {"SYNC_LEASE": "25", "TICK": "10", "QUOTA_WINDOW": "3600", "LOG_LEVEL": "WARNING"}


@contextmanager
def simulated(
    pull_requests: int = 200, *, latency: float, **sizes: int
) -> Iterator[dict[str, str]]:
    """A simulated Bitbucket; its addresses. `latency`: seconds before each answer."""
    every = {"repositories": 20, "pull-requests": pull_requests, "pipelines": 50, "people": 40}
    command = [sys.executable, "-m", "tests.sandbox", "--demo", "--plain", "--die-with-parent"]
    for name, size in {"quota-limit": 1_000_000, **every, **sizes}.items():
        command += [f"--{name.replace('_', '-')}", str(size)]
    command += ["--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@dataclass
class Installed:
    """An installation with one connection that was never synced."""

    house: House
    api: Api
    connection: int
    bitbucket: dict[str, str]

    def sync(self, seconds: float = 300) -> dict[str, Any]:
        """Sync to the end, looked at as often as a page does. Raises RuntimeError where it does
        not succeed.
        """
        row = connections.sync(self.api, self.connection, seconds=seconds, every=LOOK)
        if row["state"] != "succeeded":
            words = self.house.last_words()
            raise RuntimeError(f"The sync ended as {row['state']}: {row['error']}\n{words}")
        return row


@contextmanager
def installed(
    around: Surroundings, bitbucket: dict[str, str], name: str = "Bench", **more: str
) -> Iterator[Installed]:
    """An installation without a worker, with a new organization of this name."""
    house = House(around.folder, bitbucket, {**AS_SHIPPED, **around.settings, **more})
    try:
        house.prepare()
        house.open_web()
        house.beat()
        api = house.organization(name)
        made = connections.connect(api, "Acme", "acme", ACME_TOKEN)
        yield Installed(house, api, made["id"], bitbucket)
    finally:
        house.close()


def seconds(sync: dict[str, Any]) -> float:
    """How long a sync took."""
    return (moment(sync["finished_at"]) - moment(sync["started_at"])).total_seconds()


def rows(sync: dict[str, Any]) -> int:
    """How many rows a sync wrote."""
    return sum(sync["counts"].get(kind, 0) for kind in ("created", "updated"))


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
