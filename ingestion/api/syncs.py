"""syncs.start, syncs.list, syncs.info, syncs.cancel, syncs.retry, syncs.fetchMissing"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from connections.models import Connection
from ingestion.api.answers import FetchAnswer, SyncAnswer, SyncsAnswer
from ingestion.api.base import OfConnection
from ingestion.api.rows import sync_row
from ingestion.api.schemas import ListSyncs, OneSync, StartSync
from ingestion.models import UNFINISHED, Sync
from ingestion.selectors.coverage import coverage_by_stream
from ingestion.selectors.syncs import stream_rows_of, syncs_of
from ingestion.services.comparing import fetch_missing
from ingestion.services.retries import retry_sync
from ingestion.services.syncs import SyncAlreadyRunning, cancel_sync, start_sync
from tenants.api import ApiError, list_answer, paginate
from tenants.api.reading import Nothing
from tenants.models import Scope


def rows_of(connection: Connection, syncs: Sequence[Sync]) -> list[dict[str, Any]]:
    """These syncs of one connection with their streams; one that runs shows the coverage so far."""
    streams = stream_rows_of(syncs)
    if any(sync.state in UNFINISHED for sync in syncs):
        sofar = {found.stream: found.complete_as_of for found in coverage_by_stream(connection)}
        for row in (row for sync in syncs if sync.state in UNFINISHED for row in streams[sync.pk]):
            row.complete_as_of = sofar.get(row.stream)
    return [sync_row(sync, streams[sync.pk]) for sync in syncs]


def last_sync_row(connection: Connection) -> dict[str, Any] | None:
    """The newest sync of a connection, for connections.info; see `settings.LAST_SYNC_ROW`."""
    rows = Sync.objects.for_organization(connection.organization_id).filter(connection=connection)
    latest = rows.order_by("-created_at", "-id").first()
    return rows_of(connection, [latest])[0] if latest is not None else None


class Start(OfConnection):
    """Queue a sync."""

    scope = Scope.SYNCS_WRITE
    takes = StartSync
    gives = SyncAnswer
    status = 202
    refuses = ("connection_not_found", "connection_not_ready", "sync_already_running")
    example = {"mode": "incremental", "streams": ["pull_requests"]}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        with naming_the_running_one():
            sync = start_sync(
                connection=connection,
                trigger=Sync.Trigger.API,
                mode=asked["mode"],
                streams=asked.get("streams"),
                by=self.actor,
            )
        return Response({"sync": rows_of(connection, [sync])[0]}, status=202)


class List(OfConnection):
    """The syncs of a connection, the newest first."""

    scope = Scope.SYNCS_READ
    takes = ListSyncs
    gives = SyncsAnswer
    refuses = ("connection_not_found",)
    example = {"state": "failed"}

    def get(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        found = syncs_of(self.organization).filter(connection=connection)
        if "state" in asked:
            found = found.filter(state=asked["state"])
        page, cursor = paginate(found, request, key=("-created_at", "-id"))
        return list_answer(cursor, syncs=rows_of(connection, page))


class Info(OfConnection):
    """One sync."""

    scope = Scope.SYNCS_READ
    gives = SyncAnswer
    refuses = ("connection_not_found", "sync_not_found")

    def get(self, request: Request, connection_id: int, pk: int) -> Response:
        connection = self.connection(connection_id)
        self.read()
        sync = self.sync(connection, pk)
        return Response({"sync": rows_of(connection, [sync])[0]})


class Cancel(OfConnection):
    """Stop a sync; one that has ended stays as it is."""

    scope = Scope.SYNCS_WRITE
    takes = OneSync
    gives = SyncAnswer
    refuses = ("connection_not_found", "sync_not_found")
    example = {"id": 41}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        sync = self.sync(connection, self.read()["id"])
        cancel_sync(sync=sync, by=self.actor)
        return Response({"sync": rows_of(connection, [sync])[0]})


class Retry(OfConnection):
    """Try again what failed in the last sync of the connection, and nothing else."""

    scope = Scope.SYNCS_WRITE
    takes = OneSync
    gives = SyncAnswer
    status = 202
    refuses = (
        "connection_not_found",
        "sync_not_found",
        "connection_not_ready",
        "sync_already_running",
    )
    example = {"id": 41}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        sync = self.sync(connection, self.read()["id"])
        with naming_the_running_one():
            again = retry_sync(sync=sync, trigger=Sync.Trigger.API, by=self.actor)
        return Response({"sync": rows_of(connection, [again])[0]}, status=202)


class FetchMissing(OfConnection):
    """Read from its beginning what lacked records when it was last compared, and nothing else."""

    scope = Scope.SYNCS_WRITE
    takes = Nothing
    gives = FetchAnswer
    status = 202
    refuses = ("connection_not_found", "connection_not_ready", "sync_already_running")
    example = {}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        self.read()
        with naming_the_running_one():
            sync = fetch_missing(connection=connection, trigger=Sync.Trigger.API, by=self.actor)
        return Response({"sync": sync and rows_of(connection, [sync])[0]}, status=202)


@contextmanager
def naming_the_running_one() -> Iterator[None]:
    """Say which sync stands in the way."""
    try:
        yield
    except SyncAlreadyRunning as running:
        named = {"sync_id": running.sync.pk}
        raise ApiError("sync_already_running", running.message, extra=named) from None
