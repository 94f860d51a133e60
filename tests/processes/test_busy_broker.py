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
from tests.processes.house import ROOT, end, wait_until

SECONDS = float(os.environ.get("BUSY_SECONDS", "60"))
RATE = 100  # messages a second


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
        sent = send(tmp_path / "broker")
        wait_until(lambda: len(marks.read_text().split()) >= sent, seconds=30)
        alive = [worker.poll() is None for worker in workers]
    finally:
        for worker in workers:
            end(worker, signal.SIGKILL)
            worker.wait()

    assert alive == [True, True]
    done = Counter(marks.read_text().split())
    assert len(done) == sent
    assert set(done.values()) == {1}
    assert [path for path in (tmp_path / "broker").rglob("*.unreadable")] == []


def start_worker(name: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = ("-m", "celery", "-A", "tests.processes.busy", "worker", "-n", f"{name}@%h")
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, start_new_session=True
    )


def send(folder: Path) -> int:
    """Send messages for a while, from this process, as pages and the API do; how many."""
    number = 0
    deadline = time.monotonic() + SECONDS
    with Connection("files://", transport_options={"folder": folder}) as connection:
        producer = app.amqp.Producer(connection)
        while time.monotonic() < deadline:
            queue = app.amqp.queues[("default", "syncs")[number % 2]]
            app.send_task("tests.count", (number,), producer=producer, queue=queue)
            number += 1
            time.sleep(1 / RATE)
    return number
