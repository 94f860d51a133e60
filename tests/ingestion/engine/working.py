"""A worker in a thread beside the test, and waiting for what it does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

from django.db import connection as database

from ingestion import engine
from ingestion.models import Sync
from tests import house

wait_until = partial(house.wait_until, seconds=20)


@contextmanager
def working_on(sync: Sync) -> Iterator[None]:
    """A slice of this sync is worked on."""
    with beside(lambda: engine.run_slice(sync.pk), name=f"worker of {sync.pk}"):
        yield


@contextmanager
def beside(act: Callable[[], object], *, name: str = "beside") -> Iterator[None]:
    """Something is done meanwhile, in a thread of its own."""

    def work() -> None:
        try:
            act()
        finally:
            database.close()

    here = copy_context()  # it has entered the organization
    worker = threading.Thread(target=here.run, args=(work,), name=name)
    worker.start()
    try:
        yield
    finally:
        worker.join(30)


def works(sync: Sync) -> bool:
    return any(one.name == f"worker of {sync.pk}" for one in threading.enumerate())
