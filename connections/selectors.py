"""What is read of connections, credentials, drafts and authorizations."""

import uuid
from typing import Any

from django.db.models import QuerySet

from connections.models import Connection, Credential, Draft, Grant
from connections.models.credential import usable_credentials
from tenants.models import Organization, User

__all__ = (
    "connections_of",
    "draft_of",
    "drafts_of",
    "grants_of",
    "live_credentials",
    "usable_credentials",
    "workspaces",
)


def connections_of(
    organization: Organization | int, *, connector: str = "", status: str = ""
) -> QuerySet[Connection]:
    """The connections of an organization that are not deleted, by connector, then name."""
    rows: QuerySet[Connection] = Connection.objects.for_organization(organization)
    rows = rows.filter(deleted_at=None)
    if connector:
        rows = rows.filter(connector=connector)
    return rows.filter(status=status) if status else rows


def live_credentials(connection: Connection) -> QuerySet[Credential]:
    """The credentials of a connection that are not deleted, the oldest first."""
    rows: QuerySet[Credential] = Credential.objects.for_organization(connection.organization_id)
    return rows.filter(connection=connection, deleted_at=None).select_related("grant")


def draft_of(organization: Organization | int, user: User, public_id: uuid.UUID) -> Draft | None:
    """A draft, for its author alone."""
    found: Draft | None = drafts_of(organization, user).filter(public_id=public_id).first()
    return found


def drafts_of(organization: Organization | int, user: User) -> QuerySet[Draft]:
    """What this person has begun and not finished, the latest first."""
    rows: QuerySet[Draft] = Draft.objects.for_organization(organization)
    return rows.filter(by=user).select_related("connection", "grant")


def grants_of(organization: Organization | int, *, connector: str = "") -> QuerySet[Grant]:
    """The authorizations of an organization that still hold."""
    rows: QuerySet[Grant] = Grant.objects.for_organization(organization)
    rows = rows.filter(ended_at=None, secrets__isnull=False)
    return rows.filter(connector=connector) if connector else rows


def workspaces(grant: Grant) -> list[dict[str, Any]]:
    """The workspaces that the person ticked: id, slug, is_administrator; administered first."""
    return list(grant.workspaces)
