"""Which repositories of a connection are synced.

The selection of the connection decides; `Repository.is_selected` says the same of each row.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F, Q, QuerySet

from connections.models import Connection
from connections.services.connections import update_connection
from connections.services.locks import hold
from ingestion.clock import database_now
from ingestion.models import Repository
from tenants.actor import Actor


class Named(Protocol):
    """A repository, wherever it is known from."""

    @property
    def uuid(self) -> str: ...
    @property
    def full_name(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...


def selected_by(selection: Mapping[str, Any]) -> Callable[[Named], bool]:
    """A function that says whether a repository belongs to what a person chose to sync."""
    chosen = selection.get("repositories") or {}
    match chosen.get("mode", "all"):
        case "chosen":
            ids = frozenset(chosen.get("ids", ()))
            return lambda row: row.uuid in ids
        case "patterns":
            included, excluded = chosen.get("include") or ["*"], chosen.get("exclude") or []
            return lambda row: _is_like(row, included) and not _is_like(row, excluded)
    return lambda row: True


class ChoiceChanged(Exception):
    """Somebody chose anew since the choice that is to be taken back."""

    message = "The choice was changed again since then. Nothing was taken back."


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a choice did: of how many repositories, what stood before, and how to know it again."""

    count: int
    before: dict[str, Any]
    mark: str


def fitting(rows: Iterable[Named], repositories: Mapping[str, Any]) -> list[str]:
    """The names of the repositories that a choice takes in, in their order."""
    is_chosen = selected_by({"repositories": repositories})
    return sorted((row.full_name for row in rows if is_chosen(row)), key=str.lower)


def apply_selection(connection: Connection) -> None:
    """Make the rows that are here say what the selection says; where they do, nothing is written.

    Runs in the transaction that changes the selection.
    """
    is_selected = selected_by(connection.selection)
    mine = _repositories_of(connection)
    rows = mine.only("pk", "uuid", "name", "slug", "full_name", "is_selected")
    wrong = [row.pk for row in rows if row.is_selected != is_selected(row)]
    if wrong:
        turned = {"is_selected": ~F("is_selected"), "changed_at": database_now()}
        mine.filter(pk__in=wrong).update(**turned)


@transaction.atomic
def select_repositories(
    *, connection: Connection, ids: Sequence[int], selected: bool, by: Actor
) -> Chosen:
    """Take repositories in or leave them out, by the ids of their rows; unknown ids are passed by.

    From then on the choice is a list: repositories that appear later are not synced. The caller
    has checked the actor's role. Counts those ids that were repositories of the connection. Raises
    InvalidFields where the list becomes too long.
    """
    before = hold(connection.pk).selection
    mine = _repositories_of(connection)
    named = Q(pk__in=ids)
    chosen = Q(is_selected=True) | named if selected else Q(is_selected=True) & ~named
    uuids = list(mine.filter(chosen).order_by("full_name", "pk").values_list("uuid", flat=True))
    ids_left = uuids + _not_here(mine, before)
    count = mine.filter(named).count()
    return _store(connection, before, {"mode": "chosen", "ids": ids_left}, by, count)


@transaction.atomic
def select_all(*, connection: Connection, by: Actor) -> Chosen:
    """Sync every repository, with those that will appear later."""
    return _store(connection, hold(connection.pk).selection, {"mode": "all"}, by)


@transaction.atomic
def select_by_patterns(
    *, connection: Connection, repositories: Mapping[str, Any], by: Actor
) -> Chosen:
    """Sync what fits patterns, also of what will appear later. Raises InvalidFields."""
    before = hold(connection.pk).selection
    count = len(fitting(_repositories_of(connection).filter(removed_at=None), repositories))
    return _store(connection, before, dict(repositories), by, count)


@transaction.atomic
def restore_choice(
    *, connection: Connection, repositories: dict[str, Any], by: Actor, mark: str = ""
) -> None:
    """Take a choice back: `repositories` stood before it, `mark`, where given,
    tells it from any other.

    Raises ChoiceChanged where it is not the last one any more.
    """
    now = hold(connection.pk).selection
    if mark and _mark(now.get("repositories") or {}) != mark:
        raise ChoiceChanged
    _store(connection, now, repositories, by)


def _store(
    connection: Connection,
    before: dict[str, Any],
    repositories: dict[str, Any],
    by: Actor,
    count: int = 0,
) -> Chosen:
    """Change the selection; the rows follow, as they do whoever changes it."""
    update_connection(connection=connection, choices={"repositories": repositories}, by=by)
    return Chosen(
        count=count,
        before=before.get("repositories") or {"mode": "all"},
        mark=_mark(connection.selection["repositories"]),
    )


def _mark(repositories: Mapping[str, Any]) -> str:
    return sha256(json.dumps(repositories, sort_keys=True).encode()).hexdigest()


def _repositories_of(connection: Connection) -> QuerySet[Repository]:
    rows: QuerySet[Repository] = Repository.objects.for_organization(connection.organization_id)
    return rows.filter(connection=connection)


def _not_here(mine: QuerySet[Repository], selection: dict[str, Any]) -> list[str]:
    """The ids in a list that no row has yet: chosen before they were listed."""
    here = set(mine.values_list("uuid", flat=True))
    ids = (selection.get("repositories") or {}).get("ids", ())
    return [uuid for uuid in ids if uuid not in here]


def _is_like(row: Named, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits: one with a slash workspace/slug, any other the slug or the name."""
    return any(
        _fits(pattern, name)
        for pattern in patterns
        for name in ((row.full_name,) if "/" in pattern else (row.slug, row.name))
    )


def _fits(pattern: str, name: str) -> bool:
    """Whether a pattern fits a name, in any case and part by part: `*` passes no slash."""
    wanted, parts = pattern.lower().split("/"), name.lower().split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
