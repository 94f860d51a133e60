"""Sends work on connections to the workers. The database stays the truth."""

from celery import current_app
from django.db import transaction

RUN_VERIFICATION = "connections.tasks.run_verification"
VERIFY_CREDENTIAL = "connections.tasks.verify_credential"
VERIFY_CONNECTION = "connections.tasks.verify_connection"
REGISTER_WEBHOOKS = "connections.tasks.register_webhooks"
REMOVE_WEBHOOKS = "connections.tasks.remove_webhooks"


def send_on_commit(task: str, organization_id: int, row_id: int) -> None:
    """Wake a worker for this row, once the present transaction stands. A task carries ids only.

    A broker that cannot be reached loses nothing: `verify_due` sends again what nobody took.
    """

    def send() -> None:  # a function of its own: Django names it where it tells that it failed
        current_app.tasks[task].apply_async((organization_id, row_id))

    transaction.on_commit(send, robust=True)
