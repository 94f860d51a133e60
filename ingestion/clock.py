"""The database's clock, by which all leases and times of syncs are told."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

LONGEST = timedelta(minutes=10)  # for which a transaction of whomever holds back what is newer
_SETTLED = """
    SELECT least(
        clock_timestamp() - %(held_back)s,
        (SELECT min(xact_start) FROM pg_stat_activity
         WHERE datname = current_database() AND backend_xid IS NOT NULL
           AND pid <> pg_backend_pid() AND xact_start > clock_timestamp() - %(longest)s)
    )
"""


def database_now() -> datetime:
    """The present moment as the database tells it, to the microsecond where it can."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            found: datetime = cursor.fetchone()[0]
            return found.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


def settled_until(held_back: timedelta) -> datetime:
    """Before when everything that was written can be seen: so long ago, and before whatever still
    writes began, however long that takes; but it holds nothing back for more than 10 minutes.

    SQLite has one writer at a time, which asks for the time once it writes.
    """
    if connection.vendor != "postgresql":
        return database_now() - held_back
    values: dict[str, Any] = {"held_back": held_back, "longest": LONGEST}
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, values)
        found: datetime = cursor.fetchone()[0]
        return found.astimezone(UTC)


class Clock:
    """The database's clock without a question each time: read once, then carried on."""

    def __init__(self) -> None:
        self._read = database_now()
        self._at = time.monotonic()

    def now(self) -> datetime:
        return self._read + timedelta(seconds=time.monotonic() - self._at)
