"""The wall around the audit trail: the database itself refuses to change or delete its rows.

Triggers are the wall; they came with the migration `the_audit_trail_stands`. On PostgreSQL they
look for a setting of the transaction, on SQLite they ask a function of this process. A later
migration that makes SQLite build the table anew must make its triggers anew, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction

_is_open: ContextVar[bool] = ContextVar("audit_wall_is_open", default=False)


@contextmanager
def opened() -> Iterator[None]:
    """A transaction in which rows of the audit trail may go: what is too old, or all of an
    organization that goes. Nothing else opens it.
    """
    with open_here(), transaction.atomic():
        _tell_postgres("yes")
        yield
        _tell_postgres("")


@contextmanager
def open_here() -> Iterator[None]:
    """The same on SQLite alone, without a transaction: for whoever empties a test's database."""
    token = _is_open.set(True)
    try:
        yield
    finally:
        _is_open.reset(token)


def teach(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Let a new connection to SQLite answer what its triggers ask."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("tributary_audit_may_go", 0, _may_go)


def _may_go() -> int:
    return int(_is_open.get())


def _tell_postgres(word: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('tributary.audit_may_go', %s, true)", [word])
