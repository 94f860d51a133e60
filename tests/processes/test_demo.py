"""The demo: started, used, ended; started again with its data; and the main job at one go."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.config.test_supervisor import descendants, wait_for_end
from tests.house import REPLACED, ROOT, wait_until

KEPT = {"Engineering workspace", "Globex workspace", "Platform workspace"}


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in REPLACED}
    for name in ("SECRET_KEY", "FERNET_KEYS", "PUBLIC_URL", "ALLOWED_HOSTS"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", "24000", *options],
        cwd=ROOT,
        env={**environment, "VAR_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=(folder / "out").open("a"),
        stderr=subprocess.STDOUT,
        text=True,
    )


def block(folder: Path, running: subprocess.Popen[str]) -> dict[str, str]:
    """Wait for the block that the demo prints; what stands in it."""
    out = folder / "out"

    def is_there() -> bool:
        assert running.poll() is None, out.read_text()
        return "Ctrl-C ends everything" in out.read_text()

    wait_until(is_there, seconds=120)
    text = out.read_text()
    out.unlink()
    names = {"link": "Sign in as its owner", "url": "Tributary  ", "key": "API key, for 24 hours"}
    return {k: re.search(rf"{name}\s+(\S+)", text)[1] for k, name in names.items()}  # type: ignore[index]


def names(shown: dict[str, str]) -> set[str]:
    """The connections, as the API tells them with the key of this start."""
    answer = requests.get(
        f"{shown['url']}/api/connections.list?state=all",
        headers={"Authorization": f"Bearer {shown['key']}"},
        timeout=10,
    )
    return {each["name"] for each in answer.json()["connections"]}


def end_quickly(running: subprocess.Popen[str]) -> None:
    below = descendants(running.pid)
    started = time.monotonic()
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=15) == 0
    assert time.monotonic() - started < 10
    assert wait_for_end(below, seconds=1) == set()


def test_a_demo_shows_its_data_ends_and_keeps_it(tmp_path: Path) -> None:
    running = start(tmp_path)
    first = block(tmp_path, running)
    assert names(first) == KEPT
    page = requests.get(first["link"], timeout=20)
    assert page.url.endswith("/o/acme/")
    assert "Simulated Bitbucket" in page.text
    end_quickly(running)

    running = start(tmp_path)
    second = block(tmp_path, running)

    assert names(second) == KEPT
    refused = requests.get(
        f"{second['url']}/api/connections.list",
        headers={"Authorization": f"Bearer {first['key']}"},
        timeout=10,
    )
    assert refused.status_code == 401
    assert requests.get(first["link"], timeout=10).status_code == 404
    end_quickly(running)


def test_the_main_job_at_one_go(tmp_path: Path) -> None:
    running = start(tmp_path, "--once")

    code = running.wait(timeout=180)
    out = (tmp_path / "out").read_text()

    assert code == 0, out
    assert "checks pass" in out
    assert re.search(r"[1-9] listed", out)
    assert " 0 listed" not in out
    assert re.search(r"syncs.start, until its end +\d+\.\d\d s", out)
    assert not (tmp_path / "db.sqlite3").exists()
