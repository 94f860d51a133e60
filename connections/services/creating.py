"""Makes connections: with a credential, verified first, or pending for somebody to finish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.findings import Finding
from connections.models import Connection, Credential
from connections.services.entering import Given, NewCredential
from connections.services.errors import AlreadyConnected, InvalidSettings, VerificationFailed
from connections.services.parents import find_parent
from connections.services.pasting import complete
from connections.services.proving import fill_from, keep_proof, tried
from connections.services.rows import (
    become_available,
    check_name,
    clean_name,
    connected_as,
    label_of,
    store_connection,
)
from connections.services.schedules import next_run
from connections.services.selections import wanted_streams
from connections.services.tags import store_tags
from connections.services.trail import note, unless_kept
from connections.services.verification import count_verification, verify_entry
from connections.services.wishes import Wish, read_wish
from tenants.actor import Actor
from tenants.models import Organization, User


@dataclass(frozen=True, kw_only=True)
class Created:
    """A new connection. After a dry run there is no row, only the finding."""

    connection: Connection | None
    credential: Credential | None = None
    finding: Finding | None = None


def create_connection(
    *,
    organization: Organization,
    connector: str,
    name: str,
    settings: Mapping[str, Any] | None,
    by: Actor,
    credential: NewCredential | None = None,
    schedule: Mapping[str, Any] | None = None,
    selection: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    user: User | None = None,
    parent_id: int | None = None,
    dry_run: bool = False,
) -> Created:
    """Connect something: with a credential, verified before anything is stored; or pending.

    Without settings, whoever finishes it says what is connected. Makes requests where a credential
    is given: never call it in a transaction then. Raises
    UnknownConnector, InvalidFields, UnknownMethodGiven, NameTaken, AlreadyConnected,
    ParentRequired, VerificationFailed, VerificationsTooMany.
    """
    if credential is not None:
        credential, settings = complete(
            connector_of(connector),
            credential,
            settings or {},
            tried_for=(organization.pk, connector, name),
            by=by,
        )
    parent = find_parent(organization, connector_of(connector), parent_id)
    wish = read_wish(connector, name, settings, schedule, selection, credential, tags)
    check_name(organization.pk, wish.name)
    row = _new_row(organization, wish, by, user, parent)
    if wish.given is None or credential is None:
        return Created(connection=None if dry_run else _store(row, wish, by))
    finding = _verify(organization, wish, wish.given, parent)
    tried_for = organization.pk, wish.kind.key, wish.name
    with unless_kept(tried(tried_for, wish.given, finding, by)) as use:
        _check(organization, wish, finding)
        if dry_run:
            return Created(connection=None, finding=finding)
        row.selection = wish.selection
        with transaction.atomic():
            _store(row, wish, by, finding)
            stored = _first_credential(row, wish.given, credential, finding, by)
        use.is_kept = True
    return Created(connection=row, credential=stored, finding=finding)


@transaction.atomic
def _store(row: Connection, wish: Wish, by: Actor, finding: Finding | None = None) -> Connection:
    if finding is not None:
        become_available(row, finding.identity, by)
    else:
        store_connection(row)
    store_tags(row, wish.tags)
    note("connections.created", row, by, {"tags": wish.tags} if wish.tags else None)
    return row


def _verify(
    organization: Organization, wish: Wish, given: Given, parent: Connection | None
) -> Finding:
    count_verification(organization.pk)
    streams = wanted_streams(wish.kind, wish.selection)
    thing = {wish.kind.place: parent.identity} if parent else wish.settings
    return verify_entry(wish.kind, given.entry(thing, organization.pk), streams)


def _check(organization: Organization, wish: Wish, finding: Finding) -> None:
    """Raises VerificationFailed, InvalidSettings, AlreadyConnected."""
    if not finding.is_ok:
        raise VerificationFailed(finding)
    _leave_out(wish, finding.out_of_reach)
    other = connected_as(organization.pk, wish.kind.key, finding.identity.connected)
    if other is not None:
        raise AlreadyConnected(other)


def _leave_out(wish: Wish, streams: Sequence[str]) -> None:
    """Copy everything but what no secret of this kind can read; refuse what was asked for by name.

    Raises InvalidFields.
    """
    named = [key for key in streams if key in wish.selection["streams"]]
    if named:
        told = f"No secret of this kind can read {named[0]}: leave it out, or give another secret."
        raise InvalidSettings({"selection.streams": told})
    if streams:
        every = wanted_streams(wish.kind, wish.selection)
        wish.selection["streams"] = [key for key in every if key not in streams]


def _new_row(
    organization: Organization,
    wish: Wish,
    by: Actor,
    user: User | None,
    parent: Connection | None,
) -> Connection:
    row = Connection(
        organization=organization,
        connector=wish.kind.key,
        name=wish.name,
        parent=parent,
        settings=dict(parent.settings) if parent else wish.settings,
        schedule=wish.schedule,
        selection=wish.selection,
        created_by=user,
        created_by_name=by.full_name,
    )
    row.next_sync_at = (
        next_run(row.schedule, now(), organization.timezone) if wish.given is not None else None
    )
    return row


def _first_credential(
    connection: Connection, given: Given, wish: NewCredential, finding: Finding, by: Actor
) -> Credential:
    entry = given.entry(connection.at(connection.identity), connection.organization_id)
    kind = connector_of(connection.connector)
    label = clean_name(wish.label, field="credential.label") if wish.label.strip() else ""
    credential = Credential(
        connection=connection,
        organization_id=connection.organization_id,
        method=given.method.key,
        label=label or label_of(kind, entry, finding.identity),
        settings=given.settings,
        secrets=given.secrets,
        expiration_date=wish.expiration_date,
    )
    fill_from(credential, entry, finding)
    credential.save()
    note("credentials.created", credential, by, {"method": credential.method})
    keep_proof(credential, finding, by)
    return credential
