"""Which repositories of a connection are synced."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from connections.models import Connection
from connections.services.connections import update_connection
from ingestion.models import Repository
from tenants.actor import Actor


@transaction.atomic
def select_repositories(
    *, connection: Connection, ids: Sequence[int], selected: bool, by: Actor
) -> int:
    """Take repositories in or leave them out, by the ids of their rows; unknown ids are passed by.

    From then on the choice is a list: repositories that appear later are not synced. The caller
    has checked the actor's role. Returns how many of the ids were repositories of the connection.
    """
    rows = Repository.objects.for_organization(connection.organization_id)
    mine = rows.filter(connection=connection)
    count: int = mine.filter(pk__in=ids).update(is_selected=selected)
    chosen = mine.filter(is_selected=True).order_by("full_name", "pk")
    uuids = list(chosen.values_list("uuid", flat=True))
    _store(connection, {"mode": "chosen", "ids": uuids}, by)
    return count


@transaction.atomic
def select_all(*, connection: Connection, by: Actor) -> None:
    """Sync every repository, with those that will appear later."""
    rows = Repository.objects.for_organization(connection.organization_id)
    rows.filter(connection=connection).update(is_selected=True)
    _store(connection, {"mode": "all"}, by)


@transaction.atomic
def restore_choice(*, connection: Connection, repositories: dict[str, Any], by: Actor) -> None:
    """Take a choice back: `repositories` is the part of the selection that stood before it."""
    mine = Repository.objects.for_organization(connection.organization_id)
    mine = mine.filter(connection=connection)
    if repositories.get("mode") == "chosen":
        mine.update(is_selected=False)
        mine.filter(uuid__in=repositories["ids"]).update(is_selected=True)
    else:
        mine.update(is_selected=True)
    _store(connection, repositories, by)


def _store(connection: Connection, repositories: dict[str, Any], by: Actor) -> None:
    selection = {**connection.selection, "repositories": repositories}
    update_connection(connection=connection, selection=selection, by=by)
