"""Rules of rows that several services share: unique names, one connection per workspace, labels."""

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from connections.connectors.base import Connector, Entry, Identity
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from connections.services.errors import AlreadyConnected, NameTaken
from connections.services.parents import check_parent, hold_parent, take_over
from connections.services.states import DAILY
from tenants.actor import Actor

LONGEST_NAME = 100


def clean_name(name: str, *, field: str = "name") -> str:
    """A name as it is kept. Raises InvalidFields."""
    cleaned = " ".join(name.split())
    if not cleaned:
        raise InvalidFields({field: "This is required."})
    if len(cleaned) > LONGEST_NAME:
        raise InvalidFields({field: f"At most {LONGEST_NAME} characters."})
    if not cleaned.isprintable():
        raise InvalidFields({field: "Control characters are not allowed."})
    return cleaned


def check_name(organization_id: int, name: str, mine: Connection | None = None) -> None:
    """Raises NameTaken where another connection has the name."""
    rows = Connection.objects.filter(organization_id=organization_id, name=name, deleted_at=None)
    if rows.exclude(pk=mine.pk if mine else None).exists():
        raise NameTaken(name)


def free_name(connection: Connection) -> str:
    """The name of a connection, or one made of it where another has it by now."""
    taken = set(
        Connection.objects.filter(organization_id=connection.organization_id, deleted_at=None)
        .exclude(pk=connection.pk)
        .values_list("name", flat=True)
    )
    number, name = 1, connection.name
    while name in taken:
        ending = " (restored)" if number == 1 else f" (restored {number})"
        name, number = f"{connection.name[: 100 - len(ending)]}{ending}", number + 1
    return name


def connected_as(
    organization_id: int, connector: str, identity: str, mine: Connection | None = None
) -> Connection | None:
    """The connection through which the organization has connected this thing already."""
    if not identity:
        return None
    rows = Connection.objects.filter(
        organization_id=organization_id, connector=connector, identity=identity, deleted_at=None
    )
    return rows.exclude(pk=mine.pk if mine else None).first()


def store_connection(connection: Connection) -> None:
    """Save, and say what the database's constraints mean. Raises NameTaken, AlreadyConnected."""
    try:
        with transaction.atomic():
            connection.save()
    except IntegrityError:
        # The constraint says that somebody was faster; which one it was is told by looking.
        other = connected_as(
            connection.organization_id, connection.connector, connection.identity, connection
        )
        if other is not None:
            raise AlreadyConnected(other) from None
        check_name(connection.organization_id, connection.name, connection)
        raise


def become_available(connection: Connection, identity: Identity, by: Actor) -> None:
    """The first proof of a connection: what it is to, and that it works.

    Raises AlreadyConnected, ParentRequired, OtherWorkspace.
    """
    parent = hold_parent(connection)
    check_parent(parent, identity.connected)
    connection.identity = identity.connected
    connection.settings = connection.at(identity.connected_name)
    moment = now()
    connection.finished_at, connection.finished_by_name = moment, by.full_name
    connection.verified_at, connection.next_verification_at = moment, moment + DAILY
    connection.status_code = connection.status_message = ""
    if connection.status == Connection.Status.PENDING:
        connection.status = Connection.Status.AVAILABLE
    store_connection(connection)
    take_over(connection, parent, by)


def label_of(kind: Connector, entry: Entry, found: Identity) -> str:
    """The label of a credential that got none: what kind it is, and whom it acts as."""
    name = kind.method(entry.method).name_of(found.kind)
    whom = (
        found.acts_as_name or entry.settings.get("repository") or entry.settings.get("username", "")
    )
    return f"{name} of {whom}"[:LONGEST_NAME] if whom else name
