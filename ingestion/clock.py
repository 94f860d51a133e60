"""The database's clock, by which all leases and times of syncs are told."""

import time
from datetime import UTC, datetime, timedelta

from django.db import connection


def database_now() -> datetime:
    """The present moment as the database tells it, to the microsecond where it can."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            found: datetime = cursor.fetchone()[0]
            return found.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


class Clock:
    """The database's clock without a question each time: read once, then carried on."""

    def __init__(self) -> None:
        self._read = database_now()
        self._at = time.monotonic()

    def now(self) -> datetime:
        return self._read + timedelta(seconds=time.monotonic() - self._at)
