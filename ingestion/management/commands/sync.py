"""`manage.py sync <connection id>`: one sync in the foreground, with a progress bar."""

import logging
import os
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection as database
from django.utils import timezone

from connections.models import Connection
from ingestion import engine
from ingestion.models import UNFINISHED, State, StreamRun, Sync
from ingestion.services.syncs import ConnectionNotReady, SyncAlreadyRunning, start_sync
from ingestion.words.syncs import state_label, waits_for
from tenants import access
from tenants.actor import Actor
from tenants.checks import require_keys

WIDTH = 30


class Command(BaseCommand):
    help = "Syncs one connection here and now, and shows how far it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("connection", type=int, help="id of the connection")
        parser.add_argument("--full", action="store_true", help="read everything again")

    def handle(self, *args: Any, connection: int, full: bool, **options: Any) -> None:
        if "LOG_LEVEL" not in os.environ:
            logging.getLogger().setLevel(logging.WARNING)  # lines would tear the bar
        require_keys()
        found = Connection.objects.filter(pk=connection, deleted_at=None).first()
        if found is None:
            raise CommandError(f"There is no connection {connection}.")
        with access.enter(found.organization_id):
            sync = self._start(found, Sync.Mode.FULL if full else Sync.Mode.INCREMENTAL)
            with self._bar(sync):
                _work(sync)
            self._tell(sync)

    def _start(self, connection: Connection, mode: Sync.Mode) -> Sync:
        """A new sync, or the one that has not ended yet."""
        by = Actor.system("operator")
        try:
            return start_sync(connection=connection, trigger=Sync.Trigger.PERSON, mode=mode, by=by)
        except SyncAlreadyRunning as running:
            self.stdout.write(f"{running.message} Going on with it.")
            return running.sync
        except ConnectionNotReady as problem:
            raise CommandError(problem.message) from None

    @contextmanager
    def _bar(self, sync: Sync) -> Iterator[None]:
        """Draw the bar from another thread, twice a second, while the work is done in this one."""
        ended = threading.Event()
        drawing = threading.Thread(target=self._draw, args=(sync.pk, ended), daemon=True)
        drawing.start()
        try:
            yield
        finally:
            ended.set()
            drawing.join()
            self.stdout.write("")

    def _draw(self, sync_id: int, ended: threading.Event) -> None:
        before = ""
        while not ended.wait(0.5):
            line = _line(sync_id)
            if self.stdout.isatty():
                self.stdout.write(f"\r{line}\x1b[K", ending="")
            elif line != before:
                self.stdout.write(line)
            before = line
            self.stdout.flush()
        database.close()

    def _tell(self, sync: Sync) -> None:
        sync.refresh_from_db()
        for run in _runs(sync.pk):
            self.stdout.write(
                f"{run.stream:<24}{run.created:>9,} created {run.updated:>9,} updated  "
                f"{run.get_state_display()}"
            )
        self.stdout.write(f"{sync.requests:,} requests to Bitbucket")
        if sync.state != State.SUCCEEDED:
            reason = (sync.error or {}).get("message", "")
            raise CommandError(f"{State(sync.state).label}. {reason}".strip())


def _work(sync: Sync) -> None:
    """Do slice after slice until the sync has ended, here or by a worker that was faster."""
    while True:
        sync.refresh_from_db()
        if sync.state not in UNFINISHED:
            return
        if sync.resume_at is not None and sync.resume_at > timezone.now():
            time.sleep(min(1.0, (sync.resume_at - timezone.now()).total_seconds()))
            continue
        engine.run_slice(sync.pk)
        time.sleep(0.1)


def _runs(sync_id: int) -> list[StreamRun]:
    return list(StreamRun.objects.filter(sync_id=sync_id, repository=None))


def _line(sync_id: int) -> str:
    """A bar, the stream that is read, and the numbers so far."""
    sync = Sync.objects.get(pk=sync_id)
    runs = _runs(sync_id)
    ended = sum(run.state not in UNFINISHED for run in runs)
    share = (ended + sum(_share(run) for run in runs)) / max(1, len(runs))
    bar = "█" * round(share * WIDTH) + "░" * (WIDTH - round(share * WIDTH))
    rows = sum(run.created + run.updated for run in runs)
    return f"{bar} {_doing(sync, runs)}  {rows:,} rows, {sync.requests:,} requests"


def _doing(sync: Sync, runs: Sequence[StreamRun]) -> str:
    """“Syncing pull_requests”, or what it waits for and until when."""
    if sync.state == State.WAITING:
        return f"{state_label(sync)}: {waits_for(sync)}."
    reading = next((run.stream for run in runs if run.state == State.RUNNING), "")
    return f"{sync.get_state_display()} {reading}".strip()


def _share(run: StreamRun) -> float:
    """How much of an unfinished stream is done, from 0 to 1."""
    if run.state not in UNFINISHED or not run.total:
        return 0.0
    return min(1.0, run.done / run.total)
