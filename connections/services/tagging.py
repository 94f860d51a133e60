"""Hangs single tags on a connection, and takes them off."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from connections.models import Connection
from connections.services.connections import update_connection
from connections.services.errors import ConnectionDeleted
from connections.services.locks import hold
from connections.services.tags import clean_tags, tags_of
from tenants.actor import Actor


@transaction.atomic
def retag_connection(
    *,
    connection: Connection,
    by: Actor,
    add: Mapping[str, Any] | None = None,
    remove: Collection[str] = (),
) -> None:
    """Hang tags on a connection and take others off; the rest stay.

    Raises InvalidFields, TooManyTags, ConnectionDeleted.
    """
    row = hold(connection.pk)
    if row.deleted_at:
        raise ConnectionDeleted
    kept = {key: value for key, value in tags_of(row).items() if key not in remove}
    update_connection(connection=row, tags={**kept, **clean_tags(add or {})}, by=by)
