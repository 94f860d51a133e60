"""Deleted connections: restorable with a new secret for a while, then forgotten.

And drafts that turn out to be of a workspace which is connected already: their secret is one more
credential there.
"""

from django.db import transaction

from connections.models import Connection, Draft
from connections.services.errors import ConnectionDeleted, NotVerified, OtherWorkspace
from connections.services.finishing import finish_draft
from connections.services.locks import hold
from connections.services.rows import connected_as
from tenants.actor import Actor


@transaction.atomic
def join_connection(*, draft: Draft, connection: Connection, actor: Actor) -> Connection:
    """Add a draft's verified secret to a connection of the same workspace, or restore that with it.

    Raises what `finish_draft` raises, and ConnectionDeleted where it is too late to restore it.
    """
    if draft.parent_id:
        hold(draft.parent_id)
    row = hold(connection.pk)
    check_restorable(row)
    if not draft.found:
        raise NotVerified
    if row.identity != draft.found["connected"]:
        raise OtherWorkspace(draft.found["connected_name"], row.place)
    Draft.objects.filter(pk=draft.pk).update(connection=row)
    draft.connection = row
    return finish_draft(draft=draft, actor=actor)


def check_restorable(connection: Connection) -> None:
    """Raises ConnectionDeleted where a connection was deleted too long ago."""
    if connection.deleted_at is not None and not connection.is_restorable:
        raise ConnectionDeleted


def same_thing(draft: Draft) -> Connection | None:
    """The connection of what a new draft opens: one that works, else the last one deleted."""
    if draft.connection_id is not None or not draft.found:
        return None
    identity = draft.found["connected"]
    live = connected_as(draft.organization_id, draft.connector, identity)
    if live is not None or not identity:
        return live
    gone = Connection.objects.filter(
        organization_id=draft.organization_id, connector=draft.connector, identity=identity
    )
    last = gone.exclude(deleted_at=None).order_by("-deleted_at").first()
    return last if last is not None and last.is_restorable else None
