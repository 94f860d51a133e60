"""Commands that start a whole installation, in processes of their own: `demo`, `run`."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.config.test_supervisor import descendants, wait_for_end
from tests.house import REPLACED, ROOT, wait_until

SECONDS = 30  # for an end that takes few, where the machine is busy
OF_THE_TESTS = ("SECRET_KEY", "FERNET_KEYS", "PUBLIC_URL", "ALLOWED_HOSTS")


def start(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start `manage.py …` with these settings and no others; its lines go to `out`."""
    own = {"VAR_DIR": str(folder), "PYTHONUNBUFFERED": "1", **settings}
    others = {k: v for k, v in os.environ.items() if k not in (*REPLACED, *OF_THE_TESTS)}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**others, **own},
        stdout=(folder / "out").open("a"),
        stderr=subprocess.STDOUT,
        text=True,
    )


def move_in(folder: Path, furnished: Path) -> dict[str, str]:
    """Take over tables and static files that are ready; the settings that say so."""
    shutil.copy(furnished / "db.sqlite3", folder)
    return {"STATIC_ROOT": str(furnished / "static")}


def wait_for_block(folder: Path, running: subprocess.Popen[str]) -> str:
    """Wait until it says that everything runs; what it has said. It goes on in `out-<pid>`."""
    out = folder / "out"

    def is_there() -> bool:
        assert running.poll() is None, out.read_text()
        return "Ctrl-C ends" in out.read_text()

    wait_until(is_there, seconds=120)
    text = out.read_text()
    out.rename(folder / f"out-{running.pid}")
    return text


def end_quickly(running: subprocess.Popen[str]) -> None:
    """End it as Ctrl-C does: it ends well, and no process is left."""
    below = descendants(running.pid)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=SECONDS) == 0
    assert wait_for_end(below, seconds=1) == set()
