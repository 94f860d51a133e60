"""Estimates of what a draft, or a connection, would copy. Both make requests, of which few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

from django.conf import settings

from connections.connectors import connector
from connections.models import Connection, Draft
from connections.models.credential import usable_credentials
from connections.services.entries import draft_entry, entry_for
from connections.services.schedules import own_intervals
from connections.services.selections import clean_selection, wanted_streams
from connections.services.trail import note_draft_use, note_use
from connections.transport.errors import InvalidCredentials
from connections.transport.ledger import Purpose
from ingestion.estimates.estimate import Allowance, Estimate
from ingestion.estimates.surveys import LISTED_AT_ONCE, Subject, list_repositories, survey
from ingestion.models import Repository
from ingestion.selectors.connections import quota_of
from ingestion.selectors.quota import QuotaLeft, quota_of_subjects
from ingestion.services.repositories import selected_by
from tenants.actor import Actor

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """A repository as a choice looks at it."""

    uuid: str
    full_name: str

    @property
    def slug(self) -> str:
        return self.full_name.rpartition("/")[2]

    @property
    def name(self) -> str:
        return self.slug


def listed(draft: Draft) -> list[Listed]:
    """The repositories that the secret of a draft sees."""
    return [Listed(one["id"], one["name"]) for one in draft.repositories]


def estimate_draft(
    *, draft: Draft, selection: Mapping[str, Any], schedule: Mapping[str, Any], by: Actor
) -> Estimate:
    """What the first sync of a verified draft would take. Raises ProviderError, InvalidFields."""
    subject = _subject(
        f"draft:{draft.public_id}:{draft.found.get('connected', '')}",
        draft.connector,
        selection,
        schedule,
        listed(draft),
    )
    entry = partial(draft_entry, draft, purpose=Purpose.PERSON)
    found = survey(subject, entry)
    note_draft_use(draft, by, reason="estimate", requests=found.asked)
    quota = quota_of_subjects([draft.found.get("quota_subject", "")])
    return Estimate(
        subject=subject,
        survey=found,
        allowance=_allowance(next(iter(quota.values()), None)),
    )


def estimate_of(
    connection: Connection,
    *,
    by: Actor | None = None,
    changes: Mapping[str, Any] | None = None,
    credentials: int | None = None,
) -> Estimate:
    """What a sync of everything would take. `changes` are parts of the selection, tried out;
    `credentials` so many that count by themselves. Raises ProviderError, InvalidFields.
    """
    selection = {**connection.selection, **(changes or {})}
    credential = usable_credentials(connection).first()
    if credential is None:
        raise InvalidCredentials("This connection has no credential that works. Add one.")
    entry = partial(entry_for, credential, purpose=Purpose.PERSON)
    key = f"connection:{connection.public_id}"
    here, spent = _here(connection), 0
    if not here:  # before the first sync
        here = [Listed(*one) for one in list_repositories(key, connection.connector, entry)]
        spent = ceil(len(here) / LISTED_AT_ONCE)
    subject = _subject(key, connection.connector, selection, connection.schedule, here, spent)
    found, count = survey(subject, entry), _subjects(connection)
    if found.asked:
        by = by or Actor.system()
        note_use(credential, by, reason="estimate", requests=found.asked + spent)
    return Estimate(
        subject=subject,
        survey=found,
        allowance=_allowance(quota_of(connection), count, credentials or count),
    )


def _subject(
    key: str,
    kind: str,
    selection: Mapping[str, Any],
    schedule: Mapping[str, Any],
    repositories: Sequence[Listed],
    spent: int = 0,
) -> Subject:
    chosen = clean_selection(connector(kind), selection)
    is_chosen, since = selected_by(chosen), chosen["since"]
    own = own_intervals(schedule, connector(kind))
    return Subject(
        key=key,
        connector=kind,
        streams=wanted_streams(connector(kind), chosen),
        repositories=[one.uuid for one in repositories if is_chosen(one)],
        listed=len(repositories),
        since=datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None,
        spent=spent,
        own_hours={key: every / HOUR for key, every in own.items()},
    )


def _here(connection: Connection) -> list[Listed]:
    rows = Repository.objects.for_organization(connection.organization_id)
    here = rows.filter(connection_id=connection.home_id, removed_at=None).order_by("pk")
    return [Listed(*one) for one in here.values_list("uuid", "full_name")]


def _subjects(connection: Connection) -> int:
    rows = usable_credentials(connection).values_list("quota_subject", flat=True)
    return max(1, len(set(rows)))


def _allowance(quota: QuotaLeft | None, count: int = 1, wanted: int = 1) -> Allowance:
    if quota is None:
        quota = QuotaLeft(limit=settings.QUOTA_LIMIT, used=0)
    more = wanted - count
    each = quota.limit // count
    return Allowance(
        limit=max(1, quota.limit + more * each),
        left=max(0, quota.left + more * each),
        credentials=wanted,
    )
