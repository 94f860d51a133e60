"""A Celery application with one task that counts: `celery -A tests.processes.busy worker`."""

import os

from config.celery import app

__all__ = ("app",)


@app.task(name="tests.count")
def count(number: int) -> None:
    """Leave a mark; appending a line is one write, and so whole."""
    with open(os.environ["COUNT_FILE"], "a") as file:
        file.write(f"{number}\n")
