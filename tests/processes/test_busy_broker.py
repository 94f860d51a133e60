"""Two workers on a busy file broker live, and do each task once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from kombu import Connection

from config.celery import app
from tests.house import ROOT, end, wait_until

SECONDS = float(os.environ.get("BUSY_SECONDS", "20"))
BURST = 40  # messages at once, before the last ones are worked off


@pytest.mark.filterwarnings("ignore:task_always_eager")
def test_two_workers_live_and_do_each_task_once(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.touch()
    environment = {
        **{k: v for k, v in os.environ.items() if k not in {"CELERY_BROKER_URL", "DATABASE_URL"}},
        "VAR_DIR": str(tmp_path),
        "COUNT_FILE": str(marks),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "WORKER_CONCURRENCY": "1",
        "LOG_LEVEL": "WARNING",
    }
    workers = [start_worker(name, environment) for name in ("one", "two")]
    try:
        sent = send(tmp_path / "broker", marks)
        wait_until(lambda: done(marks) >= sent, seconds=30)
        alive = [worker.poll() is None for worker in workers]
    finally:
        for worker in workers:
            end(worker, signal.SIGKILL)
            worker.wait()

    assert alive == [True, True]
    times = Counter(marks.read_text().split())
    assert len(times) == sent
    assert set(times.values()) == {1}
    assert not list((tmp_path / "broker").rglob("*.unreadable"))


def start_worker(name: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = ("-m", "celery", "-q", "-A", "tests.processes.busy", "worker", "-n", f"{name}@%h")
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, start_new_session=True
    )


def done(marks: Path) -> int:
    return len(marks.read_text().split())


def send(folder: Path, marks: Path) -> int:
    """Send bursts of messages for a while, as pages and the API do; how many messages it were.

    The next burst comes while the last one is still being worked off.
    """
    number = 0
    deadline = time.monotonic() + SECONDS
    with Connection("files://", transport_options={"folder": folder}) as connection:
        producer = app.amqp.Producer(connection)
        while time.monotonic() < deadline:
            for _ in range(BURST):
                queue = app.amqp.queues[("default", "syncs")[number % 2]]
                app.send_task("tests.count", (number,), producer=producer, queue=queue)
                number += 1
            wait_until(lambda: done(marks) > number - BURST, seconds=30)  # noqa: B023
    return number
