"""Background work of ingestion: ids in, one service called."""

from celery import shared_task
from celery.signals import worker_init, worker_shutting_down

from ingestion import engine
from ingestion.engine import following, shutdown
from ingestion.models import Delivery, Sync
from ingestion.services import deliveries, purging, schedule, sweeping
from tenants import access


@shared_task(ignore_result=True)
def run_slice(organization_id: int, sync_id: int) -> None:
    """Do a stretch of a sync, if nobody else does; then wake whoever waits for the slot."""
    with access.enter(organization_id):
        if Sync.objects.for_organization(organization_id).filter(pk=sync_id).exists():
            engine.run_slice(sync_id)
    schedule.dispatch_due()


@shared_task(ignore_result=True)
def follow_delivery(organization_id: int, delivery_id: int) -> None:
    """Fetch what a webhook told of, if nobody else does."""
    with access.enter(organization_id):
        if Delivery.objects.for_organization(organization_id).filter(pk=delivery_id).exists():
            following.follow(delivery_id)


@shared_task(ignore_result=True)
def tick() -> None:
    """Start what is due, send again what was lost. Runs outside of any organization."""
    schedule.tick()
    deliveries.send_due()


@shared_task(ignore_result=True)
def sweep_quotas() -> None:
    """Forget the windows of subjects that nobody asks with. Outside of any organization."""
    sweeping.sweep_quotas()


@shared_task(ignore_result=True)
def sweep_details() -> None:
    """Forget the details of old syncs. Outside of any organization."""
    sweeping.sweep_details()


@shared_task(ignore_result=True)
def sweep_deliveries() -> None:
    """Forget old deliveries. Outside of any organization."""
    sweeping.sweep_deliveries()


@shared_task(ignore_result=True)
def purge_deleted() -> None:
    """Forget what was deleted too long ago to be restored. Outside of any organization."""
    purging.purge_deleted()


def connect() -> None:
    """Let slices end after their batch when the worker is asked to end."""
    worker_init.connect(shutdown.forget, dispatch_uid="slices may run")
    worker_shutting_down.connect(shutdown.ask, dispatch_uid="slices end")
