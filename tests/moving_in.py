"""Tables and static files of a new house: `python -m tests.moving_in`, one process for all."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    import django
    from django.db import connections

    from config.processes import prepare

    django.setup()
    prepare()
    connections.close_all()  # SQLite's last one: nothing is left beside the file, which is copied


def furnish(folder: Path) -> None:
    """Make an installation's folder; whoever comes meanwhile waits until it is there."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            part = folder.with_suffix(".part")
            subprocess.run(
                [sys.executable, "-m", "tests.moving_in"],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "VAR_DIR": str(part), **SETTINGS},
                check=True,
            )
            part.rename(folder)


SETTINGS = {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}


if __name__ == "__main__":
    main()
