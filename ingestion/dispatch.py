"""Sends slices to the workers. The database stays the truth: a message that is lost is sent again."""

from functools import partial

from celery import current_app
from django.db import transaction

RUN_SLICE = "ingestion.tasks.run_slice"


def send_slice(organization_id: int, sync_id: int) -> None:
    """Wake a worker for this sync, now."""
    current_app.tasks[RUN_SLICE].apply_async((organization_id, sync_id))


def send_slice_on_commit(organization_id: int, sync_id: int) -> None:
    """Wake a worker for this sync, once the present transaction stands.

    A broker that cannot be reached loses nothing: the tick sends the slice again.
    """
    transaction.on_commit(partial(send_slice, organization_id, sync_id), robust=True)
