"""What belongs to runs of pipelines: finds their keys."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from ingestion.models import PipelineRun
from ingestion.sources.rows import StepRow

Pair = tuple[int | None, str]  # a repository's key and the uuid of a run


def run_keys(found: Sequence[tuple[Any, StepRow]]) -> dict[Pair, int]:
    """Our key of every run that steps name, where there is one, in one statement."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for place, row in found:
        wanted[place.repository_id].add(row.run)
    if not wanted:
        return {}
    mine = Q()
    for repository, uuids in wanted.items():
        mine |= Q(repository_id=repository, uuid__in=uuids)
    columns = PipelineRun.objects.filter(mine).order_by().values_list("repository_id", "uuid", "pk")
    return {(repository, uuid): pk for repository, uuid, pk in columns}
