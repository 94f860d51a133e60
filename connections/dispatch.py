"""Sends verifications to the workers, once the present transaction stands."""

from functools import partial

from celery import current_app
from django.db import transaction

VERIFY_DRAFT = "connections.tasks.verify_draft"
VERIFY_CREDENTIAL = "connections.tasks.verify_credential"
VERIFY_CONNECTION = "connections.tasks.verify_connection"


def send_on_commit(task: str, organization_id: int, row_id: int) -> None:
    """Wake a worker for this row. A task carries ids and nothing else."""
    transaction.on_commit(partial(_send, task, organization_id, row_id))


def _send(task: str, organization_id: int, row_id: int) -> None:
    current_app.tasks[task].apply_async((organization_id, row_id))
