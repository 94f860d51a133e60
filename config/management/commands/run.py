"""`manage.py run`: web, worker and beat on this machine, for a real workspace."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import processes
from config.supervisor import DidNotStart, Stopped, Supervisor, free_port


class Command(BaseCommand):
    help = "Starts web, worker and beat together; Ctrl-C ends them together."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="a busy one is stepped over")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        try:
            with Supervisor() as supervisor:
                self._run(supervisor, free_port(port))
        except Stopped:
            self.stdout.write("Stopped. Everything is kept.")
        except DidNotStart as problem:
            raise CommandError(str(problem)) from None

    def _run(self, supervisor: Supervisor, port: int) -> None:
        self.stdout.write("Preparing the database and the static files")
        processes.prepare()
        self.stdout.write("Starting web, worker and beat")
        addresses = processes.addresses(port)
        processes.start_all(supervisor, port, addresses)
        self.stdout.write(f"\n  Tributary is at {addresses['PUBLIC_URL']}\n  Ctrl-C ends it.\n\n")
        ended = supervisor.watch()
        raise DidNotStart(f"{ended.name} ended by itself; see its lines above.")
