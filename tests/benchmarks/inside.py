"""Tributary inside this process, on the database of a run: for what is measured call by call."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.figures import Surroundings


def enter(around: Surroundings, **more: str) -> None:
    """Set Django up on an empty database. Models can be imported from then on."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(around.folder),
        "SECRET_KEY": "bench-" + "k" * 50,
        "FERNET_KEYS": "the-key-of-the-bench",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        **around.settings,
        **more,
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", "--no-input", "-v0")


class Statements:
    """How many statements were sent, without those that only begin or end a transaction."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, record: logging.LogRecord) -> bool:
        sql = str(getattr(record, "sql", "") or "").lstrip().upper()
        transactional = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
        self.count += bool(sql) and not sql.startswith(transactional)
        return False


@contextmanager
def counted() -> Iterator[Statements]:
    """Count the statements of this block, whatever sends them."""
    from django.db import connection

    statements, log = Statements(), logging.getLogger("django.db.backends")
    level, log.level = log.level, logging.DEBUG
    log.addFilter(statements.note)
    connection.force_debug_cursor = True
    try:
        yield statements
    finally:
        connection.force_debug_cursor = False
        log.removeFilter(statements.note)
        log.level = level
