"""Sends slices to the workers. The database stays the truth: a lost message is sent again."""

from celery import current_app
from django.db import transaction

RUN_SLICE = "ingestion.tasks.run_slice"


def send_slice(organization_id: int, sync_id: int) -> None:
    """Wake a worker for this sync, now."""
    current_app.signature(RUN_SLICE, args=(organization_id, sync_id)).apply_async()


def send_slice_on_commit(organization_id: int, sync_id: int) -> None:
    """Wake a worker for this sync, once the present transaction stands.

    A broker that cannot be reached loses nothing: the tick sends the slice again.
    """

    def send() -> None:
        send_slice(organization_id, sync_id)

    transaction.on_commit(send, robust=True)
