"""Syncs: all of them, one of them live, started and stopped."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from connections.models import Connection
from ingestion.forms.filters import SyncFilter
from ingestion.models import COMPARISON, UNFINISHED, Sync
from ingestion.selectors.connections import connections_of, credentials_of, quota_of
from ingestion.selectors.syncs import (
    failed_by_stream,
    failed_parts,
    filter_syncs,
    stream_rows_of,
    syncs_of,
)
from ingestion.services.comparing import compare, fetch_missing
from ingestion.services.retries import NothingToRetry, can_retry, retry_sync
from ingestion.services.syncs import (
    ConnectionNotReady,
    SyncAlreadyRunning,
    cancel_sync,
    start_sync,
)
from ingestion.views.paging import page_of
from ingestion.words.problems import problem_of_sync
from ingestion.words.report import SyncReport, report
from ingestion.words.syncs import asked_by, duration
from tenants.api_call import ApiCall
from tenants.roles import Permission
from tenants.views.base import OrganizationView

GO_ON, STOP_POLLING = 200, 286  # 286 tells htmx to ask no more


class SyncList(OrganizationView):
    """All syncs of the organization, the newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = SyncFilter(self.organization, request.GET)
        page = page_of(request, filter_syncs(syncs_of(self.organization), form.values))
        context = {
            "nav": "syncs",
            "filter": form,
            "page": page,
            "syncs": described(page.object_list),
        }
        return render(request, "ingestion/syncs.html", context, status=form.status)


class OfSync(OrganizationView):
    """The base of what is about one sync."""

    def sync(self, pk: int) -> Sync:
        """The sync, of this organization, else 404."""
        return get_object_or_404(syncs_of(self.organization), pk=pk)

    def context(self, sync: Sync) -> dict[str, Any]:
        told, connection = _report(sync), sync.connection
        return {
            "nav": "syncs",
            "sync": sync,
            "connection": connection,
            "report": told,
            "can_retry": can_retry(sync),
            "problem": problem_of_sync(sync, credentials_of(connection)) if told.error else None,
        }


class SyncPage(OfSync):
    """How far, how long, why does it wait?"""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "ingestion/sync.html", self.context(self.sync(pk)))


class SyncLive(OfSync):
    """The part of that page that changes while the sync runs."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        sync = self.sync(pk)
        status = GO_ON if sync.state in UNFINISHED else STOP_POLLING
        return render(request, "ingestion/_sync_live.html", self.context(sync), status=status)


class OfStart(OrganizationView):
    """The base of what starts a sync of a connection, and then shows it."""

    permission = Permission.SYNC
    http_method_names = ["post"]

    def start(self, connection: Connection) -> Sync | None:
        """The sync that was started; None where there is nothing to do, which is said."""
        raise NotImplementedError

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection = get_object_or_404(connections_of(self.organization), pk=pk)
        try:
            sync = self.start(connection)
        except SyncAlreadyRunning as running:
            messages.info(request, "It is syncing already. This is that sync.")
            sync = running.sync
        except ConnectionNotReady as refused:
            messages.error(request, str(refused))
            sync = None
        if sync is None:
            return redirect("ingestion:connection", self.organization.slug, connection.pk)
        return redirect("ingestion:sync", self.organization.slug, sync.pk)


class SyncStart(OfStart):
    """Start a sync of a connection; a full one with `mode=full`."""

    def api_call(self, **kwargs: Any) -> ApiCall:
        mode = self.request.POST.get("mode") or Sync.Mode.INCREMENTAL.value
        connection = get_object_or_404(connections_of(self.organization), pk=kwargs["pk"])
        return ApiCall(method=f"connections/{connection.pk}/syncs.start", body={"mode": mode})

    def start(self, connection: Connection) -> Sync | None:
        mode = self.request.POST.get("mode") or Sync.Mode.INCREMENTAL
        if mode not in Sync.Mode.values:
            messages.error(self.request, "There is no such kind of sync.")
            return None
        return start_sync(
            connection=connection, trigger=Sync.Trigger.PERSON, mode=mode, by=self.actor
        )


class SyncCompare(OfStart):
    """Compare what is here with Bitbucket's counts."""

    def api_call(self, **kwargs: Any) -> ApiCall:
        connection = get_object_or_404(connections_of(self.organization), pk=kwargs["pk"])
        return ApiCall(
            method=f"connections/{connection.pk}/syncs.start", body={"streams": [COMPARISON]}
        )

    def start(self, connection: Connection) -> Sync | None:
        return compare(connection=connection, trigger=Sync.Trigger.PERSON, by=self.actor)


class SyncFetchMissing(OfStart):
    """Fetch what the last comparison missed."""

    def api_call(self, **kwargs: Any) -> ApiCall:
        connection = get_object_or_404(connections_of(self.organization), pk=kwargs["pk"])
        return ApiCall(method=f"connections/{connection.pk}/syncs.fetchMissing", body={})

    def start(self, connection: Connection) -> Sync | None:
        sync = fetch_missing(connection=connection, trigger=Sync.Trigger.PERSON, by=self.actor)
        if sync is None:
            messages.info(self.request, "Nothing was missing when it was last compared.")
        return sync


class SyncCancel(OfSync):
    """Stop a sync. What was read stays."""

    permission = Permission.SYNC
    http_method_names = ["post"]

    def api_call(self, **kwargs: Any) -> ApiCall:
        sync = self.sync(kwargs["pk"])
        method = f"connections/{sync.connection_id}/syncs.cancel"
        return ApiCall(method=method, body={"id": sync.pk})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        sync = self.sync(pk)
        cancel_sync(sync=sync, by=self.actor)
        return redirect("ingestion:sync", self.organization.slug, sync.pk)


class SyncRetry(OfSync):
    """Read again what a sync could not read, and nothing else."""

    permission = Permission.SYNC
    http_method_names = ["post"]

    def api_call(self, **kwargs: Any) -> ApiCall:
        sync = self.sync(kwargs["pk"])
        return ApiCall(method=f"connections/{sync.connection_id}/syncs.retry", body={"id": sync.pk})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        sync = self.sync(pk)
        try:
            sync = retry_sync(sync=sync, trigger=Sync.Trigger.PERSON, by=self.actor)
        except SyncAlreadyRunning as running:
            messages.info(request, "It is syncing already. This is that sync.")
            sync = running.sync
        except (ConnectionNotReady, NothingToRetry) as refused:
            messages.error(request, str(refused))
        return redirect("ingestion:sync", self.organization.slug, sync.pk)


def described(syncs: Iterable[Sync]) -> list[dict[str, Any]]:
    """Syncs with what lists say of them."""
    return [
        {
            "sync": sync,
            "duration": duration(sync),
            "by": asked_by(sync),
        }
        for sync in syncs
    ]


def _report(sync: Sync) -> SyncReport:
    failed = list(failed_parts(sync))
    return report(
        sync,
        stream_rows_of([sync])[sync.pk],
        failed=failed,
        failed_by_stream=failed_by_stream(sync),
        quota=quota_of(sync.connection),
    )
