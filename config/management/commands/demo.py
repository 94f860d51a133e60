"""`manage.py demo`: everything, with a simulated Bitbucket."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo.api import Refused
from config.demo.once import WentWrong
from config.demo.show import Demo
from config.supervisor import TIED, DidNotStart, Stopped, Supervisor, port_number

OWN_FOLDER = "DEMO_OWN_FOLDER"
# What leads to data of somebody's; without them an installation keeps everything in VAR_DIR.
SOMEBODYS = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "SECRET_KEY", "FERNET_KEYS")


class Command(BaseCommand):
    help = (
        "Starts web, worker, beat and a simulated Bitbucket together. With --once: does the main "
        "job without a browser, tells what was copied and how long each step took, and ends."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do the main job once, then end")
        parser.add_argument(
            "--port", type=port_number, default=8000, help="a busy one is stepped over"
        )
        parser.add_argument("--logs", action="store_true", help="show every line of the processes")

    def handle(self, *args: Any, once: bool, port: int, logs: bool, **options: Any) -> None:
        if not logs:
            os.environ.setdefault("LOG_LEVEL", "WARNING")
        if once and OWN_FOLDER not in os.environ:
            sys.exit(_in_own_folder())
        try:
            with Supervisor() as supervisor:
                self._show(supervisor, once, port)
        except Stopped:
            self.stdout.write("Stopped. Everything is kept; `make demo` starts it again.")
        except (DidNotStart, WentWrong, Refused, TimeoutError, requests.RequestException) as why:
            raise CommandError(str(why)) from None

    def _show(self, supervisor: Supervisor, once: bool, port: int) -> None:
        demo = Demo(supervisor, self.stdout.write)
        demo.start(port=port, folder=settings.VAR_DIR)
        if once:
            demo.do_main_job()
            return
        self.stdout.write(demo.block(demo.fill()))
        supervisor.watch()


def _in_own_folder() -> int:
    """Run this command again on a database of its own, so that nobody's data is touched."""
    with tempfile.TemporaryDirectory(prefix="tributary-once-") as folder:
        command = [sys.executable, str(TIED), str(os.getpid()), sys.executable, *sys.argv]
        others = {name: value for name, value in os.environ.items() if name not in SOMEBODYS}
        environment = {**others, "VAR_DIR": folder, OWN_FOLDER: "1"}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
