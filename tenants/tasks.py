"""Background work on tenants: one service called."""

from celery import shared_task

from tenants.services import access_keys, audit, idempotency


@shared_task(ignore_result=True)
def sweep_idempotent_calls() -> None:
    """Delete answers that were kept for a day, or a signature's life. Outside of organizations."""
    idempotency.sweep()
    access_keys.sweep_signed_calls()


@shared_task(ignore_result=True)
def erase_old_events() -> None:
    """Erase what is too old in the audit trail. Outside of any organization."""
    audit.erase_old_events()
