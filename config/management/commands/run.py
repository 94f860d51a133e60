"""`manage.py run`: web, worker and beat on this machine, for a real workspace."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import processes
from config.environment import DEMO
from config.supervisor import DidNotStart, Stopped, Supervisor, free_port, port_number


class Command(BaseCommand):
    help = "Starts web, worker and beat together; Ctrl-C ends them together."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8000, help="a busy one is stepped over"
        )

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        try:
            with Supervisor() as supervisor:
                self._run(supervisor, port)
        except Stopped:
            self.stdout.write("Stopped. Everything is kept.")
        except DidNotStart as problem:
            raise CommandError(str(problem)) from None

    def _run(self, supervisor: Supervisor, asked: int) -> None:
        port = free_port(asked)
        _refuse_demo()
        processes.require_services()
        self.stdout.write("Preparing the database and the static files")
        processes.prepare()
        self.stdout.write("Starting web, worker and beat")
        processes.start_all(supervisor, port, processes.addresses_unless_set(port))
        self.stdout.write("\n".join(_block(asked, port)))
        supervisor.watch()


def _refuse_demo() -> None:
    """Raises DidNotStart where a demo keeps its data: its people, and tokens that open nothing."""
    if settings.EMBEDDED and (settings.VAR_DIR / DEMO).exists():
        raise DidNotStart(
            f"{settings.VAR_DIR} holds a demo. Move it away, or set VAR_DIR to another folder; "
            "`make demo` starts the demo again."
        )


def _block(asked: int, port: int) -> Iterator[str]:
    """Where it is, and what follows from a port other than the one that was asked for."""
    local = processes.addresses(port)["PUBLIC_URL"]
    public = os.environ.get("PUBLIC_URL", local)
    yield f"\n  Tributary is at {public}"
    if public != local:
        yield f"  It listens at {local}"
    if port != asked:
        follows = (
            f"the callback addresses at Bitbucket must begin with {local}"
            if public == local
            else "whatever leads people to it must lead there"
        )
        yield f"  Port {asked} was in use, so {follows}."
    yield "  Ctrl-C ends it.\n\n"
