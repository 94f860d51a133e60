"""Moves the records of streams that another connection copies from now on."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from connections.models import Connection
from ingestion.clock import database_now
from ingestion.models import Coverage, Deployment, PipelineRun, Step
from ingestion.services.syncs import ConnectionNotReady, cancel_sync, start_sync, unfinished_sync
from tenants.actor import Actor

# Streams that can be handed over, and whose rows they are.
TABLES: dict[str, type[Model]] = {
    "pipelines": PipelineRun,
    "pipeline_steps": Step,
    "deployments": Deployment,
}


def move_streams(streams: Sequence[str], *, source: Connection, target: Connection) -> None:
    """Rows and coverage go to the target, so that its next sync goes on where the last one ended.

    A sync of the source that copies one of the streams stops, and begins anew without them: what
    its worker has not written yet, it cannot write any more. The caller holds both connections.
    """
    sync = unfinished_sync(source)
    is_disturbed = sync is not None and not set(streams).isdisjoint(sync.streams)
    if sync is not None and is_disturbed:
        cancel_sync(sync=sync, by=Actor.system())
    now = database_now()
    for stream in streams:
        rows: Any = TABLES[stream]._default_manager.filter(connection=source)
        rows.update(connection=target, changed_at=now)
    Coverage.objects.filter(connection=target, stream__in=streams).delete()
    Coverage.objects.filter(connection=source, stream__in=streams).update(connection=target)
    if sync is not None and is_disturbed and source.deleted_at is None:
        try:
            start_sync(connection=source, trigger=sync.trigger, mode=sync.mode, by=Actor.system())
        except ConnectionNotReady:
            return
