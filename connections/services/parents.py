"""Connections beneath others: they copy some streams in their parent's stead.

Who changes both holds the parent first.
"""

from connections.connectors import connector as connector_of
from connections.connectors.base import Connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from connections.services.errors import OtherWorkspace, ParentRequired
from connections.services.locks import hold
from connections.signals import streams_moved
from tenants.actor import Actor
from tenants.models import Organization
from tenants.services import audit


def possible_parents(organization: Organization, kind: Connector) -> list[Connection]:
    """The connections beneath which one of this kind can stand: they work, and have none yet."""
    mine = Connection.objects.for_organization(organization).filter(deleted_at=None)
    taken = mine.filter(connector=kind.key).exclude(identity="").values("identity")
    rows = mine.filter(connector=kind.requires_parent, status=Connection.Status.AVAILABLE)
    return list(rows.exclude(identity__in=taken).order_by("name", "pk"))


def find_parent(
    organization: Organization, kind: Connector, parent_id: int | None
) -> Connection | None:
    """The parent of a new connection of this kind; None where it needs none.

    Raises ParentRequired, InvalidFields.
    """
    if not kind.requires_parent:
        if parent_id is not None:
            told = "A connection of this type belongs to no other."
            raise InvalidFields({"parent_id": told})
        return None
    rows = Connection.objects.for_organization(organization).filter(deleted_at=None)
    found: Connection | None = rows.filter(pk=parent_id, connector=kind.requires_parent).first()
    if found is None or found.status != Connection.Status.AVAILABLE:
        raise ParentRequired(connector_of(kind.requires_parent).label, found)
    return found


def hold_parent(connection: Connection) -> Connection | None:
    """The parent's row, held; None where there is none."""
    return hold(connection.parent_id) if connection.parent_id else None


def check_parent(parent: Connection | None, identity: str) -> None:
    """Is what a new connection was proven to be of its parent's, and does that one still work?

    Raises ParentRequired, OtherWorkspace.
    """
    if parent is None:
        return
    if parent.deleted_at or parent.status != Connection.Status.AVAILABLE:
        raise ParentRequired(connector_of(parent.connector).label, parent)
    if parent.identity != identity:
        raise OtherWorkspace("", parent.place)


def take_over(connection: Connection, parent: Connection | None, by: Actor) -> None:
    """A connection works from now on, and copies its streams in the stead of its parent, held."""
    if parent is not None:
        _move(parent, connection, source=parent, target=connection, by=by)


def give_back(connection: Connection, parent: Connection | None, by: Actor) -> None:
    """A connection is deleted: its parent, held, copies its streams again."""
    if parent is not None and connection.identity:
        _move(parent, connection, source=connection, target=parent, by=by)


def _move(
    parent: Connection, child: Connection, *, source: Connection, target: Connection, by: Actor
) -> None:
    streams = [stream.key for stream in connector_of(child.connector).streams]
    others = [key for key in parent.handed_over if key not in streams]
    parent.handed_over = others + streams if target is child else others
    parent.save(update_fields=["handed_over"])
    audit.record(
        organization=parent.organization_id,
        event_type="connections.streams_moved",
        by=by,
        target={"type": "connection", "id": source.pk, "name": source.name},
        changes={"streams": streams, "to": target.name},
    )
    streams_moved.send(sender=Connection, streams=streams, source=source, target=target)
