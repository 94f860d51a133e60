"""Tells running slices that the worker is asked to end: they stop after their batch.

Celery tells its parent process only; the flag is memory that was shared before it forked.
"""

import mmap
from typing import Any

_flag = mmap.mmap(-1, 1)


def ask(**kwargs: Any) -> None:
    """Note that the worker is to end. Connected to Celery's `worker_shutting_down`."""
    _flag[0] = 1


def forget(**kwargs: Any) -> None:
    """A worker begins: nobody has asked it yet."""
    _flag[0] = 0


def is_asked() -> bool:
    """Whether slices should come to an end."""
    return _flag[0] == 1
