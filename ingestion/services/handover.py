"""Moves the records of streams that another connection copies from now on."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from connections.models import Connection
from ingestion.clock import database_now
from ingestion.models import Coverage, Deployment, PipelineRun, RejectedRow, Step
from ingestion.services.syncs import ConnectionNotReady, cancel_sync, start_sync, unfinished_sync
from tenants.actor import Actor

STEPS = "pipeline_steps"
# Streams that can be handed over, and whose rows they are.
TABLES: dict[str, type[Model]] = {
    "pipelines": PipelineRun,
    STEPS: Step,
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
    _read_refused_again(streams, source)
    Coverage.objects.filter(connection=source, stream__in=streams).update(connection=target)
    if sync is not None and is_disturbed and source.deleted_at is None:
        try:
            start_sync(connection=source, trigger=sync.trigger, mode=sync.mode, by=Actor.system())
        except ConnectionNotReady:
            return


def _read_refused_again(streams: Sequence[str], source: Connection) -> None:
    """What could not be kept is noted with the syncs of the source, where the target does not look:
    it comes once more with its list.
    """
    lists = Coverage.objects.filter(connection=source, stream__in=streams)
    lists = lists.filter(gap__code="rejected_rows").exclude(stream=STEPS)
    lists.update(watermark=None, checkpoint=None)
    if STEPS not in streams:
        return
    refused = RejectedRow.objects.filter(sync__connection=source, stream=STEPS, resolved_at=None)
    places = defaultdict[int | None, set[str]](set)
    for repository, run in refused.values_list("repository", "parent"):
        places[repository].add(run)
    for repository, runs in places.items():
        named = PipelineRun.objects.filter(repository=repository, uuid__in=runs)
        named.update(steps_done_run=None)
