"""A whole installation in processes of its own, for tests that kill and stop them."""

import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from config.demo.api import Api
from config.demo.bitbucket import environment
from config.supervisor import answers, free_port
from tests.errands import ask
from tests.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = "postgres://postgres@127.0.0.1:5432"
REDIS = "redis://127.0.0.1:6379"


class House:
    """Processes with a database and a broker that nobody else uses."""

    def __init__(
        self, folder: Path, bitbucket: Mapping[str, str], settings: Mapping[str, str]
    ) -> None:
        """`bitbucket`: the sandbox's addresses, by url, api_url, web_url, control_url."""
        self.folder = folder
        self.url = ""
        self._started: list[subprocess.Popen[bytes]] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self._errands: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in REPLACED},
            **environment(bitbucket),
            "VAR_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "house-" + "k" * 50,
            "FERNET_KEYS": "the-key-of-the-house",
            "LOG_LEVEL": "INFO",
            "QUOTA_LIMIT": "1000000",
            "SYNC_LEASE": "3",
            "TICK": "1",
            "WORKER_CONCURRENCY": "2",
            **settings,
        }

    def manage(self, *arguments: str) -> str:
        """Run a management command; what it printed. Raises CalledProcessError."""
        return self.errand("manage.py", *arguments)

    def errand(self, *command: str) -> str:
        """Run Python in a fork, with this house's settings of the first time; what it printed.

        Raises CalledProcessError.
        """
        if self._errands is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._errands = self.start("errands", "-m", "tests.errands", **pipes)
        return ask(self._errands, command)

    def python(self, *arguments: str) -> str:
        """Run Python in a process of its own; what it printed. Raises CalledProcessError."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def prepare(self, furnished: Path | None = None) -> None:
        """Tables and static files: made, or those of an installation that is ready."""
        if furnished is not None:
            self._environment |= {"STATIC_ROOT": str(furnished / "static")}
            if "DATABASE_URL" not in self._environment:
                shutil.copy(furnished / "db.sqlite3", self.folder)
                return
        self.python("-m", "tests.moving_in")

    def open_web(self) -> None:
        """Start gunicorn and wait until it answers."""
        port = free_port(20000 + secrets.randbelow(2000))
        self.url = f"http://127.0.0.1:{port}"
        self._environment |= {"PUBLIC_URL": self.url, "ALLOWED_HOSTS": "127.0.0.1"}
        self.start("web", "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}")
        wait_until(lambda: answers(port), seconds=30)

    def worker(self, name: str = "worker") -> subprocess.Popen[bytes]:
        """Start a worker."""
        options = ("worker", "-n", f"{name}-{secrets.token_hex(3)}@%h")
        started = self.start(name, "-m", "celery", "-q", "-A", "config", *options)
        self._workers.append(started)
        return started

    def end_workers(self) -> None:
        """Kill all workers."""
        for process in self._workers:
            end(process, signal.SIGKILL)
            process.wait()
        self._workers.clear()

    def beat(self) -> subprocess.Popen[bytes]:
        """Start beat."""
        return self.start("beat", "-m", "celery", "-A", "config", "beat")

    def start(self, name: str, *arguments: str, **pipes: int) -> subprocess.Popen[bytes]:
        """Start a process in a session of its own; its lines go to a file, or into pipes."""
        with (self.folder / f"{name}.log").open("ab") as log:
            streams: dict[str, Any] = {"stdout": log, "stderr": log, **pipes}
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
                **streams,
            )
        self._started.append(process)
        return process

    def organization(self, name: str) -> Api:
        """A new organization, and the API with a key of it."""
        self.manage("create_organization", name)
        slug = name.lower().replace(" ", "-")
        key = ("create_api_key", "--organization", slug, "--name", "test", "--scopes", "all")
        return Api(self.url, self.manage(*key).strip())

    def rows(self) -> dict[str, dict[str, list[Any]]]:
        """All records by organization and table, with natural keys instead of ids."""
        found: dict[str, dict[str, list[Any]]] = json.loads(self.errand("-m", "tests.rows"))
        return found

    def is_locked(self) -> bool:
        """Whether a process holds what every batch of a sync must hold."""
        address = self._environment.get("DATABASE_URL")
        if address:
            return _is_locked_in_postgres(address)
        with closing(sqlite3.connect(self.folder / "db.sqlite3", timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def logs(self) -> str:
        """What all processes have written so far."""
        return "\n".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))

    def last_words(self) -> str:
        """The last lines of each process, for whoever waited for it in vain."""
        return "\n".join(
            f"--- {path.stem}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-15:])
            for path in sorted(self.folder.glob("*.log"))
        )

    def close(self) -> None:
        for process in self._started:
            end(process, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any(p.poll() is None for p in self._started):
            time.sleep(0.05)
        for process in self._started:
            end(process, signal.SIGKILL)
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()


REPLACED = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "VAR_DIR", "DJANGO_SETTINGS_MODULE")


def addresses(sandbox: Sandbox) -> dict[str, str]:
    """Where a sandbox in this process is found."""
    return {
        "url": sandbox.url,
        "api_url": sandbox.api_url,
        "web_url": sandbox.web_url,
        "control_url": f"{sandbox.url}/control/",
    }


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a process and, but for SIGTERM, to all of its session."""
    with suppress(ProcessLookupError):
        if number is signal.SIGTERM:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)


def wait_until(condition: Callable[[], object], *, seconds: float) -> None:
    """Wait for something to become true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} was not true within {seconds} seconds")
        time.sleep(0.02)


def _is_locked_in_postgres(address: str) -> bool:
    with psycopg.connect(address) as connection:
        try:
            for table in ("ingestion_sync", "ingestion_quota"):
                connection.execute(f"SELECT id FROM {table} FOR UPDATE NOWAIT")
        except psycopg.errors.LockNotAvailable:
            return True
        finally:
            connection.rollback()
    return False


def stop_between_transactions(house: House, process: subprocess.Popen[bytes]) -> None:
    """Stop a worker while it holds no lock: with one, it would stop everybody until it wakes."""
    while True:
        end(process, signal.SIGSTOP)
        time.sleep(0.1)
        if not house.is_locked():
            return
        end(process, signal.SIGCONT)
        time.sleep(0.02)


@contextmanager
def services(name: str, for_queue: int = 14, for_cache: int = 15) -> Iterator[dict[str, str]]:
    """A PostgreSQL database and two Redis databases; dropped and emptied at the end."""
    database = f"tributary_{name}_{secrets.token_hex(4)}"
    queue, cache = redis.Redis(db=for_queue), redis.Redis(db=for_cache)
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
        try:
            for each in (queue, cache):
                each.flushdb()
            yield {
                "DATABASE_URL": f"{POSTGRES}/{database}",
                "CELERY_BROKER_URL": f"{REDIS}/{for_queue}",
                "CACHE_URL": f"{REDIS}/{for_cache}",
            }
        finally:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
            queue.flushdb()
            cache.flushdb()
