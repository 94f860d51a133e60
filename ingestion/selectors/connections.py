"""The connections of an organization, with what pages show beside each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.utils.timezone import now

from connections.connectors import connector, connectors
from connections.connectors.base import UnknownConnector
from connections.models import Connection, Credential
from connections.tagged import has_tag, tags_told, with_tags
from ingestion.models import UNFINISHED, Coverage, State, Sync
from ingestion.selectors.freshness import Freshness, freshness_of
from ingestion.selectors.quota import QuotaLeft, quota_of_connections
from ingestion.selectors.syncs import last_syncs, unfinished_by_connection, with_strip_start
from tenants.models import Organization

ENDED = {State.SUCCEEDED, State.PARTIAL, State.FAILED}
MENDED_BY_PEOPLE = ("admin", "workspace_admin")
EXPIRY_WARNING = timedelta(days=30)
# What waiting does not mend: in error; or the last sync failed for a reason that stays; or no
# credential is left that has every scope; or a person is asked. Goes with `with_need`.
NEEDS_YOU = Q(status=Connection.Status.ERROR) | (
    Q(status=Connection.Status.AVAILABLE)
    & (
        Q(last_state=State.FAILED, last_mended_by__in=MENDED_BY_PEOPLE)
        | Q(has_limited=True, has_whole=False)
        | Q(is_asked=True)
    )
)
NEEDING_FIRST = Case(When(NEEDS_YOU, then=Value(0)), default=Value(1))
SORTS = {
    "name": ("name", "pk"),
    "state": ("status", "name", "pk"),
    "complete": (F("oldest").asc(nulls_first=True), "name", "pk"),
    "next": (F("next_sync_at").asc(nulls_last=True), "name", "pk"),
}


@dataclass(kw_only=True)
class ConnectionRow:
    """A connection as lists show it."""

    connection: Connection
    connector_label: str
    place: str  # workspace or host
    freshness: Freshness
    running: Sync | None = None
    last_syncs: list[Sync] = field(default_factory=list)
    quota: QuotaLeft | None = None
    credentials: list[Credential] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    went_at: datetime | None = None  # when a credential was last switched off or deleted

    @property
    def last_ended(self) -> Sync | None:
        """The last sync that came to an end by itself, as far as `last_syncs` reaches."""
        return next((sync for sync in reversed(self.last_syncs) if sync.state in ENDED), None)

    @property
    def needs_you(self) -> bool:
        """Whether waiting does not mend it; the same question as NEEDS_YOU asks the database."""
        if self.connection.status != Connection.Status.AVAILABLE:
            return self.connection.status == Connection.Status.ERROR
        return bool(self.failure or self.limited or self.freshness.question)

    @property
    def failure(self) -> dict[str, Any] | None:
        """The error of the last sync, where it failed and people can mend it."""
        last = self.last_ended
        error = last.error if last is not None and last.state == State.FAILED else None
        return error if error and error.get("mended_by") in MENDED_BY_PEOPLE else None

    @property
    def limited(self) -> Credential | None:
        """A credential that lacks a scope, where none is left that has all."""
        statuses = {credential.status: credential for credential in self.credentials}
        whole = Credential.Status.ACTIVE in statuses
        return None if whole else statuses.get(Credential.Status.LIMITED)

    @property
    def expires_on(self) -> date | None:
        """The next expiry among the credentials, where it is near."""
        near = now().date() + EXPIRY_WARNING
        dates = [c.expiration_date for c in self.credentials if c.expiration_date]
        return min((day for day in dates if day <= near), default=None)


def connections_of(organization: Organization) -> QuerySet[Connection]:
    """The connections that were not deleted."""
    found: QuerySet[Connection] = Connection.objects.for_organization(organization)
    return found.filter(deleted_at=None)


def needs_you(organization: Organization) -> int:
    """How many connections need a person: what waiting does not mend."""
    return with_need(connections_of(organization)).filter(NEEDS_YOU).count()


def needing(organization: Organization) -> set[int]:
    """The ids of the connections that need a person."""
    found = with_need(connections_of(organization)).filter(NEEDS_YOU)
    return set(found.order_by().values_list("pk", flat=True))


def with_need(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Add what `NEEDS_YOU` asks: how the last sync ended, what tokens lack, what is asked."""
    live = Credential.objects.filter(connection=OuterRef("pk"), deleted_at=None)
    finished = Sync.objects.filter(connection=OuterRef("pk")).exclude(state__in=UNFINISHED)
    last = finished.exclude(state=State.CANCELLED).order_by("-created_at", "-id")
    return connections.annotate(
        last_state=Subquery(last.values("state")[:1]),
        has_limited=Exists(live.filter(status=Credential.Status.LIMITED)),
        has_whole=Exists(live.filter(status=Credential.Status.ACTIVE)),
        last_mended_by=Subquery(last.annotate(by=KT("error__mended_by")).values("by")[:1]),
        is_asked=Exists(Coverage.objects.filter(Coverage.ASKS, connection=OuterRef("pk"))),
    )


def search_connections(
    organization: Organization, values: dict[str, str]
) -> tuple[QuerySet[Connection], int, int]:
    """The list by `q`, `connector`, `state`, `tag`, ordered by `sort` (a minus turns it).

    Without an order those that need a person come first.

    Answers the rows, how many they are, and how many of all connections need a person.
    """
    unfinished = Sync.objects.filter(connection=OuterRef("pk"), state__in=UNFINISHED)
    everything = connections_of(organization).annotate(is_syncing=Exists(unfinished))
    which = _matches(values)
    if tag := values.get("tag"):
        everything, which = everything.annotate(has_tag=has_tag(tag)), which & Q(has_tag=True)
    counts = with_need(everything).aggregate(
        found=Count("pk", filter=which), needs_you=Count("pk", filter=NEEDS_YOU)
    )
    found = _sorted(with_tags(everything.filter(which)), values.get("sort", ""))
    return found, counts["found"], counts["needs_you"]


def _matches(values: dict[str, str]) -> Q:
    which = Q(pk__isnull=False)
    if q := values.get("q"):
        places = {kind.place for kind in connectors().values()}
        named = (Q(**{f"settings__{place}__icontains": q}) for place in places)
        which &= reduce(or_, named, Q(name__icontains=q))
    if values.get("connector"):
        which &= Q(connector=values["connector"])
    if values.get("state") == "syncing":
        return which & Q(is_syncing=True)
    return which & Q(status=values["state"]) if values.get("state") else which


def _sorted(found: QuerySet[Connection], sort: str) -> QuerySet[Connection]:
    name = sort.removeprefix("-")
    if name not in SORTS:
        return with_need(found).order_by(NEEDING_FIRST, *SORTS["name"])
    if name == "complete":
        found = found.annotate(oldest=_oldest())
    found = found.order_by(*SORTS[name])
    return found.reverse() if sort.startswith("-") else found


def _oldest() -> Subquery:
    rows = Coverage.objects.filter(connection=OuterRef("pk"), repository__isnull=False)
    return Subquery(
        rows.order_by().values("connection").annotate(o=Min("complete_as_of")).values("o")
    )


def rows(connections: Sequence[Connection], *, strip: bool = False) -> list[ConnectionRow]:
    """What stands beside each connection, in a number of statements that does not grow."""
    all_credentials = _with_deleted(connections)
    credentials = {pk: _living(found) for pk, found in all_credentials.items()}
    quotas = quota_of_connections(connections, credentials)
    freshness = freshness_of(connections)
    syncs = last_syncs(connections) if strip else {}
    running = (
        {pk: found[-1] for pk, found in syncs.items() if found[-1].state in UNFINISHED}
        if strip
        else unfinished_by_connection(connections)
    )
    return [
        ConnectionRow(
            connection=c,
            connector_label=connector_label(c.connector),
            place=c.place,
            freshness=freshness[c.pk],
            running=running.get(c.pk),
            last_syncs=syncs.get(c.pk, []),
            quota=quotas.get(c.pk),
            credentials=credentials.get(c.pk, []),
            tags=tags_told(c),
            went_at=_went_at(all_credentials.get(c.pk, [])),
        )
        for c in connections
    ]


def row_of(connection: Connection, *, strip: bool = True) -> ConnectionRow:
    """One connection with what stands beside it."""
    found = with_strip_start(Connection.objects.filter(pk=connection.pk)) if strip else [connection]
    return rows(list(found), strip=strip)[0]


def quota_of(connection: Connection) -> QuotaLeft | None:
    """What is left for one connection, without all that else stands beside it."""
    return quota_of_connections([connection], _credentials([connection])).get(connection.pk)


def credentials_of(connection: Connection) -> list[Credential]:
    """Its credentials, without their secrets."""
    return _credentials([connection]).get(connection.pk, [])


def _credentials(connections: Sequence[Connection]) -> dict[int, list[Credential]]:
    return {pk: _living(found) for pk, found in _with_deleted(connections).items()}


def _with_deleted(connections: Sequence[Connection]) -> dict[int, list[Credential]]:
    found: dict[int, list[Credential]] = defaultdict(list)
    ids = [connection.pk for connection in connections]
    for credential in Credential.objects.filter(connection_id__in=ids).defer("secrets"):
        found[credential.connection_id].append(credential)
    return found


def _living(credentials: Sequence[Credential]) -> list[Credential]:
    return [credential for credential in credentials if credential.deleted_at is None]


def _went_at(credentials: Sequence[Credential]) -> datetime | None:
    moments = (one.deleted_at or one.disabled_at for one in credentials)
    return max((moment for moment in moments if moment), default=None)


def connector_label(key: str) -> str:
    """The name of a connector: “Bitbucket Cloud”."""
    try:
        return connector(key).label
    except UnknownConnector:
        return key.replace("_", " ").capitalize()
