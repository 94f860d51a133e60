"""The methods connections.*, but for those in `states`."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.answers import (
    ConnectionAnswer,
    ConnectionInfoAnswer,
    ConnectionsAnswer,
    CreatedConnectionAnswer,
    LinkAnswer,
)
from connections.api.lookups import (
    PROOF,
    connection_of,
    connector_of,
    expected,
    methods_are_arguments,
)
from connections.api.rows import (
    STATUSES,
    connection_row,
    credential_row,
    finding_row,
    standing_rows,
)
from connections.api.schemas import (
    ChangedConnection,
    ConnectionList,
    NewConnection,
    OneRow,
)
from connections.models import Connection
from connections.services import connections, links
from connections.services.creating import Created, create_connection
from connections.services.entering import NewCredential
from connections.tagged import tagged
from tenants.api import ApiView, list_answer, paginate, timestamp
from tenants.authentication import require_scope
from tenants.models import Scope

WITHOUT_LIMIT = 1000  # rows that a list answers when no limit is asked for


class ConnectionsList(ApiView):
    """The connections of the organization, by type, then name."""

    scope = Scope.CONNECTIONS_READ
    takes = ConnectionList
    gives = ConnectionsAnswer
    refuses = ("unknown_connector_type",)
    example = {"state": "all", "limit": 50}

    def get(self, request: Request) -> Response:
        asked = self.read()
        mine = Connection.objects.for_organization(self.organization)
        rows: QuerySet[Connection] = mine.filter(deleted_at=None)
        if "type" in asked:
            rows = rows.filter(connector=connector_of(asked["type"]).key)
        state = asked.get("state")
        if state is None:
            rows = rows.exclude(status=Connection.Status.PENDING)
        elif state != "all":
            rows = rows.filter(status=STATUSES[state])
        if "tag" in asked:
            rows = tagged(rows, asked["tag"])
        rows = rows.prefetch_related("tags")
        page, cursor = paginate(rows, request, ("connector", "name", "id"), usual=WITHOUT_LIMIT)
        return list_answer(cursor, connections=[connection_row(row) for row in page])


class ConnectionsInfo(ApiView):
    """One connection, its credentials and its last sync."""

    scope = Scope.CONNECTIONS_READ
    gives = ConnectionInfoAnswer
    refuses = ("connection_not_found",)

    def get(self, request: Request, pk: int) -> Response:
        self.read()
        connection = connection_of(self, pk)
        credentials = connection.credentials.filter(deleted_at=None)
        return Response(
            {
                "connection": connection_row(connection),
                "credentials": standing_rows(list(credentials), connection),
                "last_sync": _last_sync(connection),
            }
        )


class ConnectionsCreate(ApiView):
    """Make a connection: verified with its credential, or pending without one."""

    scope = Scope.CONNECTIONS_WRITE
    takes = NewConnection
    takes_dry_run = True
    gives = CreatedConnectionAnswer
    status = 201
    refuses = (
        "unknown_connector_type",
        "name_taken",
        "already_connected",
        "parent_required",
        "connection_not_found",
        *PROOF,
    )
    example = {
        "type": "bitbucket_cloud",
        "name": "Engineering",
        "settings": {"workspace": "acme"},
        "credential": {"secrets": {"api_token": "ATCTT3xFfGN0-example"}},
        "schedule": {"kind": "every", "minutes": 30},
        "selection": {"repositories": {"mode": "all"}, "streams": [], "since": "2026-01-01"},
        "tags": {"env": "prod"},
    }

    def post(self, request: Request) -> Response:
        given = self.read()
        connector = connector_of(given["type"])
        if "credential" in given:
            require_scope(self.key, Scope.CREDENTIALS_WRITE)
        with methods_are_arguments("credential."):
            created = create_connection(
                organization=self.organization,
                connector=connector.key,
                name=given["name"],
                settings=given["settings"],
                credential=NewCredential(**given["credential"]) if "credential" in given else None,
                schedule=given.get("schedule"),
                selection=given.get("selection"),
                tags=given.get("tags"),
                by=self.actor,
                user=self.key.made_by,
                parent_id=given.get("parent_id"),
                dry_run=self.is_dry_run,
            )
        if created.connection is None:
            return Response({"dry_run": True, **_proof(created)})
        return Response(_made(created.connection, created), status=201)


class ConnectionsUpdate(ApiView):
    """Change the name, the schedule or the selection."""

    scope = Scope.CONNECTIONS_WRITE
    takes = ChangedConnection
    takes_dry_run = takes_if_match = True
    gives = ConnectionAnswer
    refuses = ("connection_not_found", "name_taken")
    example = {"id": 7, "name": "Engineering", "schedule": {"kind": "cron", "cron": "0 6 * * 1-5"}}

    def post(self, request: Request) -> Response:
        given = self.read()
        connection = connection_of(self, given.pop("id"))
        changed = connections.update_connection(
            connection=connection,
            **given,
            by=self.actor,
            version=expected(request, connection),
            dry_run=self.is_dry_run,
        )
        told = {"dry_run": True} if self.is_dry_run else {}
        return Response({**told, "connection": connection_row(changed)})


class ConnectionsLink(ApiView):
    """Make a one-time link: somebody outside the organization finishes or renews a connection."""

    scope = Scope.CONNECTIONS_WRITE
    takes = OneRow
    gives = LinkAnswer
    status = 201
    refuses = ("connection_not_found", "rate_limited")
    example = {"id": 7}

    def post(self, request: Request) -> Response:
        connection = connection_of(self, self.read()["id"])
        link, token = links.make_link(connection=connection, by=self.actor)
        path = reverse("connections:connect_follow", args=[token])
        row = {
            "id": link.pk,
            "connection_id": connection.pk,
            "url": f"{settings.PUBLIC_URL}{path}",
            "created_at": timestamp(link.created_at),
            "expires_at": timestamp(link.expires_at),
        }
        return Response({"link": row}, status=201)


class ConnectionsDelete(ApiView):
    """Delete a connection; its secrets are erased at once."""

    scope = Scope.CONNECTIONS_WRITE
    takes = OneRow
    takes_if_match = True
    refuses = ("connection_not_found", "connection_in_use")
    example = {"id": 7}

    def post(self, request: Request) -> Response:
        connection = connection_of(self, self.read()["id"])
        connections.delete_connection(
            connection=connection, by=self.actor, version=expected(request, connection)
        )
        return Response({})


def _made(connection: Connection, created: Created) -> dict[str, Any]:
    """The answer of a creation; a pending connection says where a member finishes it."""
    answer: dict[str, Any] = {"connection": connection_row(connection)}
    if created.credential is not None:
        answer["credential"] = credential_row(created.credential, connection.connector)
        return answer | _proof(created)
    slug = connection.organization.slug
    path = reverse("connections:connection_finish", args=(slug, connection.pk))
    return {**answer, "complete_url": f"{settings.PUBLIC_URL}{path}"}


def _proof(created: Created) -> dict[str, Any]:
    return {"verification": finding_row(created.finding)} if created.finding is not None else {}


def _last_sync(connection: Connection) -> dict[str, Any] | None:
    """The row of the last sync, from the app above that copies."""
    row: dict[str, Any] | None = import_string(settings.LAST_SYNC_ROW)(connection)
    return row
