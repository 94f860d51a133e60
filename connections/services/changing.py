"""Changes a credential: what is new is verified, and compared with what it replaces."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, Final

from django.db import transaction

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.connectors.findings import Finding
from connections.connectors.schema import InvalidFields
from connections.models import Credential
from connections.services.comparing import Comparison, compare, seen_before, seen_by
from connections.services.entering import Given, read_given
from connections.services.entries import entry_for
from connections.services.errors import (
    SeesLess,
    VersionChanged,
)
from connections.services.locks import hold_credential, next_version
from connections.services.proving import (
    check_finding,
    connected,
    fill_from,
    keep_proof,
    tried,
)
from connections.services.rows import clean_name
from connections.services.selections import copied_streams
from connections.services.states import apply_finding
from connections.services.trail import note, note_verification, unless_kept
from connections.services.verification import count_verification, refused, verify_entry
from connections.signals import secret_changed
from connections.transport.errors import ProviderError
from connections.transport.ledger import Purpose
from tenants.actor import Actor


class Unchanged(Enum):
    """Stands for what is left out, where null means something."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
FEWER_KEPT = 20  # names of repositories in the audit trail


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A credential with what its checks found. `credential` is None after a dry run."""

    credential: Credential | None
    finding: Finding
    comparison: Comparison | None = None  # where a secret takes the place of another


def update_credential(
    *,
    credential: Credential,
    by: Actor,
    label: str | None = None,
    settings: Mapping[str, str | None] | None = None,
    secrets: Mapping[str, Any] | None = None,
    expiration_date: date | Unchanged | None = UNCHANGED,
    version: int | None = None,
    dry_run: bool = False,
    refuse_fewer: bool = False,
) -> Stored:
    """Change a credential; what is left out stays. It is verified in full each time.

    `settings` merges by key, None removes one; `secrets` replaces all, and is compared with what
    it replaces. On failure the row is as it was, but a change of label or expiration date alone is
    stored whatever the checks say. Raises like `create_credential`, VersionChanged, and with
    `refuse_fewer` SeesLess where a new secret does not see what the old one sees.
    """
    count_verification(credential.organization_id)
    changes: dict[str, Any] = {}
    if label is not None:
        changes["label"] = clean_name(label, field="label")
    if expiration_date is not UNCHANGED:
        changes["expiration_date"] = expiration_date
    if settings or secrets:
        proved = _prove(credential, settings or {}, secrets)
        with unless_kept(_use_of(credential, proved, by)) as use:
            check_finding(proved.finding, credential.connection)
            _compare(credential, proved, by, refuse_fewer)
            if dry_run:
                return Stored(credential=None, finding=proved.finding, comparison=proved.comparison)
            stored = _replace(credential, changes, proved, by, version)
            use.is_kept = True
        return stored
    finding = _check_stored(credential)
    with unless_kept(partial(note_verification, credential, finding, by)) as use:
        if not dry_run:
            with transaction.atomic():
                _store_changes(credential, changes, by, version)
                keep_proof(credential, finding, by)
                apply_finding(credential, finding)
            use.is_kept = True
    return Stored(credential=None if dry_run else credential, finding=finding)


@dataclass(kw_only=True)
class _Proved:
    """What is to take the place of a credential's settings and secrets, verified."""

    given: Given
    entry: Entry
    finding: Finding
    is_exchanged: bool  # the secret is another one
    comparison: Comparison | None = None


def _prove(
    credential: Credential, settings: Mapping[str, str | None], secrets: Mapping[str, Any] | None
) -> _Proved:
    connection = credential.connection
    kind = connector(connection.connector)
    if credential.grant_id is not None:
        raise InvalidFields({"secrets": "A Bitbucket authorization is renewed in the browser."})
    merged = {**credential.settings, **settings}
    given = read_given(
        kind,
        method=credential.method,
        settings={name: value or "" for name, value in merged.items()},  # as if left out
        secrets=secrets or dict(credential.secrets or {}),
    )
    entry = given.entry(connected(connection), connection.organization_id)
    whole = bool(secrets)
    finding = verify_entry(kind, entry, copied_streams(connection), whole_list=whole)
    return _Proved(given=given, entry=entry, finding=finding, is_exchanged=whole)


def _use_of(credential: Credential, proved: _Proved, by: Actor) -> Callable[[], None]:
    """Notes the use of what was proved, a new secret or the stored one, where it is not kept."""
    if proved.is_exchanged:
        return tried(credential, proved.given, proved.finding, by)
    return partial(note_verification, credential, proved.finding, by)


def _compare(credential: Credential, proved: _Proved, by: Actor, refuse_fewer: bool) -> None:
    """Note what a new secret sees more and less. Raises SeesLess."""
    if not proved.is_exchanged:
        return
    before = seen_before(proved.finding, credential, by)
    proved.comparison = compare(seen_by(proved.finding), before)
    if refuse_fewer and proved.comparison.fewer:
        raise SeesLess(proved.comparison.fewer)


def _replace(
    credential: Credential,
    changes: dict[str, Any],
    proved: _Proved,
    by: Actor,
    version: int | None,
) -> Stored:
    finding, comparison = proved.finding, proved.comparison
    changes |= {"settings": proved.given.settings}
    if proved.is_exchanged:
        changes |= {"secrets": proved.given.secrets}
    with transaction.atomic():
        _store_changes(credential, changes, by, version, proved)
        keep_proof(credential, finding, by)
        apply_finding(credential, finding)
        if proved.is_exchanged:
            shown = list(seen_by(finding))
            secret_changed.send(sender=Credential, credential=credential, shown=shown)
    credential.connection.refresh_from_db()
    return Stored(credential=credential, finding=finding, comparison=comparison)


def _store_changes(
    credential: Credential,
    changes: dict[str, Any],
    by: Actor,
    version: int | None,
    proved: _Proved | None = None,
) -> None:
    """Write what changes, if the version that was asked for still stands, and the audit trail."""
    before_it = credential.settings, credential.secrets
    hold_credential(credential, version)
    if proved is not None and (credential.settings, credential.secrets) != before_it:
        raise VersionChanged  # what was verified would be stored beside what was not
    if all(getattr(credential, name) == value for name, value in changes.items()):
        return
    before = {name: getattr(credential, name) for name in changes if name != "secrets"}
    for name, value in changes.items():
        setattr(credential, name, value)
    next_version(credential)
    if proved is not None:
        fill_from(credential, proved.entry, proved.finding)
    credential.save()
    told: dict[str, Any] = {
        name: [_plain(old), _plain(changes[name])]
        for name, old in before.items()
        if old != changes[name]
    }
    if "secrets" in changes:
        told["secrets"] = "changed"
    if proved is not None and proved.comparison is not None and proved.comparison.fewer:
        told["fewer"] = list(proved.comparison.fewer[:FEWER_KEPT])
    note("credentials.updated", credential, by, told)


def _check_stored(credential: Credential) -> Finding:
    kind = connector(credential.connection.connector)
    streams = copied_streams(credential.connection)
    try:
        entry = entry_for(credential, purpose=Purpose.VERIFY)
    except ProviderError as error:
        return refused(kind, credential.method, streams, error)
    return verify_entry(kind, entry, streams)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
