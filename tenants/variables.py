"""How many values one statement may carry: as many as SQLite says, where Django assumes 999."""

import sqlite3
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def allow(sender: object, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Ask a new connection. What is created together then takes one statement, as elsewhere."""
    if connection.vendor == "sqlite":
        most = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = most
