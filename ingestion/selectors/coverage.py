"""What is complete, by stream and by repository."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from connections.models import Connection
from ingestion.models import COMPARISON, Coverage, Repository
from ingestion.selectors.freshness import NO_ACCESS_AFTER, of_streams
from ingestion.selectors.streams import chosen_streams, stream_label


@dataclass(frozen=True, kw_only=True)
class StreamCoverage:
    """How complete one stream is over all repositories that are synced."""

    stream: str
    label: str
    complete_as_of: datetime | None  # the oldest
    newest: datetime | None
    repositories: int  # 0: the stream is of the connection as a whole
    incomplete: int  # never complete, or with a missing stretch
    no_access: int


@dataclass(kw_only=True)
class RepositoryCoverage:
    """One repository and how fresh each of its streams is."""

    repository: Repository
    streams: list[tuple[str, Coverage]]

    @property
    def complete_as_of(self) -> datetime | None:
        """The oldest of its streams; None where one was never complete."""
        times = [row.complete_as_of for _, row in self.streams]
        return min(time for time in times if time) if times and all(times) else None

    @property
    def gap(self) -> dict[str, Any] | None:
        """The first missing stretch, as code and message."""
        return next((row.gap for _, row in self.streams if row.gap), None)

    @property
    def has_no_access(self) -> bool:
        return any(row.refusals >= NO_ACCESS_AFTER for _, row in self.streams)


def coverage_by_stream(connection: Connection) -> list[StreamCoverage]:
    """One row for each chosen stream, in order, in one statement."""
    rows = Coverage.objects.for_organization(connection.organization_id)
    counts = of_streams({connection.pk: chosen_streams(connection)})
    counted = (
        rows.filter(connection=connection)
        .order_by()
        .values("stream")
        .annotate(
            oldest=Min("complete_as_of", filter=counts),
            newest=Max("complete_as_of", filter=counts),
            repositories=Count("repository", filter=counts),
            never=Count("pk", filter=counts & Q(complete_as_of=None)),
            gaps=Count("pk", filter=counts & Q(complete_as_of__isnull=False, gap__isnull=False)),
            no_access=Count("pk", filter=Q(refusals__gte=NO_ACCESS_AFTER)),
        )
    )
    found = {row["stream"]: row for row in counted}
    return [_of_stream(connection, key, found.get(key, {})) for key in chosen_streams(connection)]


def _of_stream(connection: Connection, key: str, row: dict[str, Any]) -> StreamCoverage:
    return StreamCoverage(
        stream=key,
        label=stream_label(connection.connector, key),
        complete_as_of=None if row.get("never") else row.get("oldest"),
        newest=row.get("newest"),
        repositories=row.get("repositories", 0),
        incomplete=row.get("never", 0) + row.get("gaps", 0),
        no_access=row.get("no_access", 0),
    )


def coverage_by_repository(
    connection: Connection, repositories: Sequence[Repository]
) -> list[RepositoryCoverage]:
    """The freshness of each of these repositories, in one statement."""
    labels = {key: stream_label(connection.connector, key) for key in chosen_streams(connection)}
    found: dict[int, list[tuple[str, Coverage]]] = defaultdict(list)
    rows = Coverage.objects.filter(repository__in=[r.pk for r in repositories])
    for row in rows.filter(stream__in=labels).order_by("pk"):
        found[row.repository_id or 0].append((labels[row.stream], row))
    return [
        RepositoryCoverage(repository=repository, streams=found.get(repository.pk, []))
        for repository in repositories
    ]


def many_gone(connection: Connection) -> list[Coverage]:
    """The coverage of each list that lacks much: what it says, and what a person said to it."""
    synced = Q(repository=None) | Q(repository__is_selected=True, repository__removed_at=None)
    rows = Coverage.objects.for_organization(connection.organization_id)
    found = rows.filter(synced, connection=connection, gap__code="many_gone")
    return list(found.order_by("repository_id", "pk"))


def coverage_of(connection: Connection) -> QuerySet[Coverage]:
    """All coverage of a connection with the repositories, for the API."""
    rows: QuerySet[Coverage] = Coverage.objects.for_organization(connection.organization_id)
    mine = rows.filter(connection=connection).exclude(stream=COMPARISON)
    return mine.select_related("repository").order_by("pk")
