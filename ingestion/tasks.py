"""Background work of ingestion: ids in, one service called."""

from celery import shared_task

from ingestion import engine
from ingestion.services import schedule
from tenants import access


@shared_task(ignore_result=True)
def run_slice(organization_id: int, sync_id: int) -> None:
    """Do a stretch of a sync, if nobody else does."""
    with access.enter(organization_id):
        engine.run_slice(sync_id)
    schedule.dispatch_due()


@shared_task(ignore_result=True)
def tick() -> None:
    """Start what is due, send again what was lost. Runs outside of any organization."""
    schedule.tick()
