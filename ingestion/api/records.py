"""repositories.list and .select, records.list and .export, coverage.list, quota.list"""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential
from ingestion.api.answers import (
    CoverageAnswer,
    QuotaAnswer,
    RecordsAnswer,
    RepositoriesAnswer,
    RepositoriesPage,
)
from ingestion.api.base import OfConnection
from ingestion.api.rows import coverage_row, repository_row
from ingestion.api.schemas import (
    ExportRecords,
    ListCoverage,
    ListRecords,
    ListRepositories,
    SelectRepositories,
)
from ingestion.clock import settled_until
from ingestion.models import Repository
from ingestion.selectors.coverage import coverage_of
from ingestion.selectors.exports import WRITERS
from ingestion.selectors.quota import QuotaLeft, quota_of_subjects
from ingestion.selectors.tables import TABLES, record_row
from ingestion.services.repositories import select_repositories
from tenants import access
from tenants.api import AnyKind, ApiError, ApiView, list_answer, paginate, timestamp
from tenants.models import Scope
from tenants.roles import Permission

HELD_BACK = timedelta(seconds=10)


class RepositoriesList(OfConnection):
    """The repositories of a connection, by id."""

    scope = Scope.RECORDS_READ
    takes = ListRepositories
    gives = RepositoriesPage
    refuses = ("connection_not_found",)
    example = {"q": "api", "selected": "true"}

    def get(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        rows = Repository.objects.for_organization(self.organization)
        found = rows.filter(connection_id=connection.home_id).filter(_which(asked))
        page, cursor = paginate(found, request, key=("id",))
        return list_answer(cursor, repositories=[repository_row(row) for row in page])


def _which(asked: dict[str, Any]) -> Q:
    which = Q() if asked["selected"] is None else Q(is_selected=asked["selected"])
    return which & Q(full_name__icontains=asked["q"]) if "q" in asked else which


class RepositoriesSelect(OfConnection):
    """Take repositories into the sync, or leave them out."""

    scope = Scope.CONNECTIONS_WRITE
    takes = SelectRepositories
    gives = RepositoriesAnswer
    refuses = ("connection_not_found", "repository_not_found")
    example = {"ids": [31], "selected": True}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        if connection.parent is not None:
            raise InvalidFields({"ids": chosen_at(connection.parent)})
        ids = set(asked["ids"])
        rows = Repository.objects.for_organization(self.organization)
        mine = set(rows.filter(connection=connection, pk__in=ids).values_list("pk", flat=True))
        if ids - mine:
            missing = ", ".join(str(pk) for pk in sorted(ids - mine)[:5])
            raise ApiError("repository_not_found", f"This connection has no repository {missing}.")
        select_repositories(
            connection=connection, ids=sorted(mine), selected=asked["selected"], by=self.actor
        )
        changed = rows.filter(pk__in=mine).order_by("pk")
        return Response({"repositories": [repository_row(row) for row in changed]})


def chosen_at(parent: Connection) -> str:
    """Where the repositories of a connection that belongs to another one are chosen."""
    return (
        f"Repositories are chosen at the connection that this one belongs to: “{parent.name}”,"
        f" {parent.pk}."
    )


class RecordsList(OfConnection):
    """Rows of one table in the order in which they changed, with those that are gone."""

    scope = Scope.RECORDS_READ
    takes = ListRecords
    gives = RecordsAnswer
    refuses = ("connection_not_found",)
    example = {"table": "pull_requests", "changed_since": "2026-11-01T00:00:00Z"}

    def get(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        model: Any = TABLES[asked["table"]]
        found = model.objects.for_organization(self.organization).filter(
            connection=connection, changed_at__lt=settled_until(HELD_BACK)
        )
        if "changed_since" in asked:
            found = found.filter(changed_at__gte=asked["changed_since"])
        page, cursor = paginate(found, request, key=("changed_at", "id"))
        return list_answer(cursor, table=asked["table"], records=[record_row(row) for row in page])


class RecordsExport(OfConnection):
    """A whole table as a file, with rows that are gone; in CSV no cell is taken for a formula."""

    scope = Scope.RECORDS_READ
    permission = Permission.EXPORT
    takes = ExportRecords
    files = ("text/csv", "application/x-ndjson", "application/vnd.apache.parquet")
    refuses = ("connection_not_found",)
    example = {"table": "pull_requests", "format": "csv"}
    content_negotiation_class = AnyKind

    def get(self, request: Request, connection_id: int) -> StreamingHttpResponse:
        connection = self.connection(connection_id)
        asked = self.read()
        model: Any = TABLES[asked["table"]]
        found = model.objects.for_organization(self.organization).filter(connection=connection)
        if "changed_since" in asked:
            found = found.filter(changed_at__gte=asked["changed_since"])
        pieces = WRITERS[asked["format"]](model, found.order_by("id"))
        kind = self.files[list(WRITERS).index(asked["format"])]
        name = f"{asked['table']}.{asked['format']}"
        return StreamingHttpResponse(
            access.within(self.organization, pieces),
            content_type=f"{kind}; charset=utf-8" if kind == "text/csv" else kind,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class CoverageList(OfConnection):
    """Up to where each stream of each repository is complete."""

    scope = Scope.SYNCS_READ
    takes = ListCoverage
    gives = CoverageAnswer
    refuses = ("connection_not_found",)
    example = {"stream": "pull_requests"}

    def get(self, request: Request, connection_id: int) -> Response:
        connection = self.connection(connection_id)
        asked = self.read()
        found = coverage_of(connection)
        if "stream" in asked:
            found = found.filter(stream=asked["stream"])
        page, cursor = paginate(found, request, key=("id",))
        return list_answer(cursor, coverage=[coverage_row(row) for row in page])


class QuotaList(ApiView):
    """What each credential may still ask in the rolling hour."""

    scope = Scope.SYNCS_READ
    gives = QuotaAnswer

    def get(self, request: Request) -> Response:
        self.read()
        rows = Credential.objects.for_organization(self.organization).filter(
            deleted_at=None, connection__deleted_at=None
        )
        credentials = list(rows.defer("secrets").order_by("connection_id", "pk"))
        subjects = (credential.quota_subject for credential in credentials)
        left = quota_of_subjects(subjects, whose=self.organization.pk)
        return Response(
            {"quota": [_quota_row(row, left.get(row.quota_subject)) for row in credentials]}
        )


def _quota_row(credential: Credential, quota: QuotaLeft | None) -> dict[str, Any]:
    return {
        "credential_id": credential.pk,
        "label": credential.label,
        "connection_id": credential.connection_id,
        "limit": quota.limit if quota else None,
        "used": quota.used if quota else None,
        "own": quota.own if quota else None,
        "left": quota.left if quota else None,
        "free_at": timestamp(quota.free_at) if quota else None,
        "next_free_at": timestamp(quota.blocked_until or quota.next_free) if quota else None,
    }
