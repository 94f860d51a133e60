"""The processes of an installation on one machine, and what must be done before they start."""

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError

from config.celery import app
from config.environment import BASE_DIR
from config.supervisor import DidNotStart, Process, Supervisor, answers

PYTHON = sys.executable
# Without the banner, and without the advice not to be root: here it is one person's machine.
CELERY = (
    PYTHON,
    "-W",
    "ignore::UserWarning:celery.platforms",
    "-m",
    "celery",
    "-q",
    "-A",
    "config",
)


def require_services() -> None:
    """Raises DidNotStart if the database or the broker cannot be used."""
    try:
        connection.ensure_connection()
    except OperationalError as problem:
        raise DidNotStart(f"The database of DATABASE_URL cannot be used: {problem}") from None
    _require_broker()


def _require_broker() -> None:
    """A worker without its broker would wait for it, and everybody else for the worker."""
    broker: Connection = app.connection_for_write()
    troubles: tuple[type[BaseException], ...]
    troubles = (BrokerError, *broker.connection_errors, *broker.channel_errors)
    try:
        broker.ensure_connection(max_retries=1, interval_start=1, timeout=5)
    except troubles as problem:
        raise DidNotStart(f"The broker of CELERY_BROKER_URL cannot be used: {problem}") from None
    finally:
        broker.release()


def prepare() -> None:
    """Bring the database up to date, make the cache's table, collect the static files."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    _collect_static()


def _collect_static() -> None:
    """Collect only when a file has changed: compressing them all takes longer than starting."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    content = _fingerprint()
    if stamp.is_file() and stamp.read_text() == content:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(content)


def _fingerprint() -> str:
    """Names, sizes and times of our static files, and the lock file that pins everybody else's."""
    paths = [BASE_DIR / "requirements.txt", *sorted((BASE_DIR / "static").rglob("*"))]
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def web(port: int, environment: Mapping[str, str]) -> Process:
    return Process(
        "web",
        [
            *(PYTHON, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"),
            *("--workers", "2", "--graceful-timeout", "3", "--log-level", "warning"),
        ],
        environment,
    )


def worker(environment: Mapping[str, str]) -> Process:
    return Process("worker", [*CELERY, "worker"], environment)


def beat(environment: Mapping[str, str]) -> Process:
    return Process("beat", [*CELERY, "beat"], environment)


def start_all(supervisor: Supervisor, port: int, environment: Mapping[str, str]) -> None:
    """Start web, worker and beat, and wait until the web answers. Raises DidNotStart."""
    serving = supervisor.start(web(port, environment))
    supervisor.start(worker(environment))
    supervisor.start(beat(environment))
    supervisor.wait_until(serving, lambda: answers(port), seconds=30)
    supervisor.require_all()


def addresses(port: int) -> dict[str, str]:
    """What the processes must know of the address under which people reach them."""
    return {"PUBLIC_URL": f"http://127.0.0.1:{port}", "ALLOWED_HOSTS": "127.0.0.1,localhost"}


def addresses_unless_set(port: int) -> dict[str, str]:
    """The same, but nothing that the operator has set; the hosts go with the address."""
    if "PUBLIC_URL" in os.environ:
        return {}
    return {name: value for name, value in addresses(port).items() if name not in os.environ}
