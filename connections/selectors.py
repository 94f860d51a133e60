"""What is read of connections, credentials, drafts and authorizations."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django.utils.timezone import now

from connections.models import (
    Connection,
    ConnectLink,
    Credential,
    Draft,
    Grant,
    WebhookSecret,
    open_links,
)
from connections.models.connection import kept_since
from connections.models.credential import usable_credentials
from connections.models.webhook import webhook_url
from tenants.models import Membership, Organization, User
from tenants.selectors import at_bitbucket

__all__ = (
    "GrantInUse",
    "acting_as",
    "connect_link",
    "connections_of",
    "deleted_connections",
    "draft_of",
    "drafts_of",
    "grants_in_use",
    "grants_of",
    "link_of_token",
    "links_of",
    "live_credentials",
    "rotation_of",
    "standings_of",
    "usable_credentials",
    "webhook_secrets",
    "webhook_url",
    "workspaces",
)
OF_LINK = ("organization", "connection")
LINKS_SHOWN = timedelta(days=30)  # after it was used, a connect link is still listed


def connections_of(
    organization: Organization | int, *, connector: str = "", status: str = ""
) -> QuerySet[Connection]:
    """The connections of an organization that are not deleted, by connector, then name."""
    rows: QuerySet[Connection] = Connection.objects.for_organization(organization)
    rows = rows.filter(deleted_at=None)
    if connector:
        rows = rows.filter(connector=connector)
    return rows.filter(status=status) if status else rows


def deleted_connections(organization: Organization | int) -> QuerySet[Connection]:
    """Those that were deleted and can be restored, the last one first."""
    rows: QuerySet[Connection] = Connection.objects.for_organization(organization)
    return rows.filter(deleted_at__gt=kept_since()).order_by("-deleted_at", "-pk")


def live_credentials(connection: Connection) -> QuerySet[Credential]:
    """The credentials of a connection that are not deleted, the oldest first."""
    rows: QuerySet[Credential] = Credential.objects.for_organization(connection.organization_id)
    return rows.filter(connection=connection, deleted_at=None).select_related("grant")


def standings_of(credentials: Sequence[Credential]) -> dict[int, Any]:
    """What each of these sees and may still ask, by id. It is known to the app above."""
    found: dict[int, Any] = import_string(settings.CREDENTIAL_STANDINGS)(credentials)
    return found


def draft_of(organization: Organization | int, user: User, public_id: uuid.UUID) -> Draft | None:
    """A draft, for its author alone."""
    found: Draft | None = drafts_of(organization, user).filter(public_id=public_id).first()
    return found


def drafts_of(organization: Organization | int, user: User) -> QuerySet[Draft]:
    """What this person has begun and not finished, the latest first."""
    rows: QuerySet[Draft] = Draft.objects.for_organization(organization)
    return rows.filter(by=user, credential=None).select_related("connection", "grant")


def rotation_of(credential: Credential, user: User, public_id: uuid.UUID) -> Draft | None:
    """A new secret for this credential that waits to take over; for its author alone."""
    rows: QuerySet[Draft] = Draft.objects.for_organization(credential.organization_id)
    rows = rows.filter(credential=credential, by=user, public_id=public_id)
    found: Draft | None = rows.select_related("connection", "credential__connection").first()
    return found


def grants_of(organization: Organization | int, *, connector: str = "") -> QuerySet[Grant]:
    """The authorizations of an organization that hold, and for which a workspace was ticked."""
    rows: QuerySet[Grant] = Grant.objects.for_organization(organization)
    rows = rows.filter(ended_at=None, secrets__isnull=False).exclude(workspaces=[])
    rows = rows.select_related("made_by")
    return rows.filter(connector=connector) if connector else rows


@dataclass(frozen=True, kw_only=True)
class GrantInUse:
    """An authorization, and the connections that are entered with it."""

    grant: Grant
    connections: list[Connection] = field(default_factory=list)

    @property
    def slugs(self) -> list[str]:
        """The workspaces that were ticked."""
        return [one["slug"] for one in self.grant.workspaces]


def grants_in_use(organization: Organization | int) -> list[GrantInUse]:
    """The authorizations that hold, and those that ended while connections still name them."""
    rows = Grant.objects.for_organization(organization).select_related("made_by")
    live = Q(credentials__deleted_at=None, credentials__connection__deleted_at=None)
    used = live & Q(credentials__isnull=False)
    held = Q(secrets__isnull=False) & ~Q(workspaces=[])
    return with_connections(rows.filter(held | used).distinct().defer("secrets"))


def with_connections(grants: Iterable[Grant]) -> list[GrantInUse]:
    """Authorizations with the connections that are entered with each. One query for all."""
    grants = list(grants)
    users: dict[int | None, dict[int, Connection]] = defaultdict(dict)
    rows = Credential.objects.filter(
        grant__in=grants, deleted_at=None, connection__deleted_at=None
    ).select_related("connection")
    for row in rows.defer("secrets").order_by("connection__name", "connection_id"):
        users[row.grant_id][row.connection_id] = row.connection
    return [GrantInUse(grant=one, connections=list(users[one.pk].values())) for one in grants]


def workspaces(grant: Grant, *, ticked: bool = True) -> list[dict[str, Any]]:
    """The workspaces that the person ticked, or may tick; administered first.

    Each with id, slug, is_administrator, is_ticked, and the connection to it, if there is one.
    """
    rows = grant.workspaces if ticked else grant.reaches
    chosen = {one["id"] for one in grant.workspaces}
    connected = Connection.objects.filter(
        organization_id=grant.organization_id,
        connector=grant.connector,
        identity__in=[one["id"] for one in rows],
        deleted_at=None,
    )
    by_identity = {connection.identity: connection for connection in connected}
    ordered = sorted(rows, key=lambda one: (not one["is_administrator"], one["slug"]))
    return [
        {**one, "is_ticked": one["id"] in chosen, "connection": by_identity.get(one["id"])}
        for one in ordered
    ]


def links_of(connection: Connection) -> QuerySet[ConnectLink]:
    """The connect links that work, and those that were used lately; the latest first."""
    rows: QuerySet[ConnectLink] = ConnectLink.objects.for_organization(connection.organization_id)
    is_open = Q(used_at=None, expires_at__gt=now())
    is_recent = Q(used_at__gt=now() - LINKS_SHOWN)
    return rows.filter(is_open | is_recent, connection=connection, revoked_at=None)


def connect_link(public_id: uuid.UUID) -> ConnectLink | None:
    """A connect link that still lets somebody in, for the browser that followed it."""
    return open_links().filter(public_id=public_id).select_related(*OF_LINK).first()


def link_of_token(token_hash: str) -> ConnectLink | None:
    """The connect link of this token, whatever became of it."""
    rows = ConnectLink.objects.filter(token_hash=token_hash)
    found: ConnectLink | None = rows.select_related(*OF_LINK).first()
    return found


def acting_as(membership: Membership) -> list[str]:
    """The credentials that act as a member, with their connections: “CI token of Engineering”."""
    user = membership.user
    rows: QuerySet[Credential] = Credential.objects.for_organization(membership.organization_id)
    is_theirs = Q(grant__made_by=user) | Q(settings__username__iexact=user.email)
    accounts = at_bitbucket(user)
    if accounts:
        is_theirs |= Q(identity__in=accounts)
    found = rows.filter(is_theirs, deleted_at=None, connection__deleted_at=None)
    found = found.select_related("connection").defer("secrets")
    return [f"{row.label} of {row.connection.name}" for row in found.order_by("connection__name")]


def webhook_secrets(connection: Connection) -> tuple[str, ...]:
    """The secrets with which a delivery may be signed now, by the database's clock: the current
    one, then those that were rotated out lately, the last one first. None: nothing was registered.
    """
    rows: QuerySet[WebhookSecret] = WebhookSecret.objects.for_organization(
        connection.organization_id
    )
    still = Q(valid_until=None) | Q(valid_until__gt=Now())
    found = rows.filter(still, connection=connection, secrets__isnull=False)
    ordered = found.order_by(F("valid_until").desc(nulls_first=True), "-pk")
    return tuple(row.secrets["secret"] for row in ordered if row.secrets)
