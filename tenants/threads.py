"""Threads beside the one of a request or a task."""

import threading

from django.db import connection


def leave_thread() -> None:
    """Give the connection of such a thread back: there are many, and they rarely touch a row."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main and not connection.in_atomic_block:
        connection.close()
