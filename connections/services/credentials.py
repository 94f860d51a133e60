"""Everything that changes a credential. A secret is verified before it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.connectors.findings import Finding
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential
from connections.services.entering import NewCredential, read_given
from connections.services.entries import entry_for
from connections.services.errors import (
    CredentialDeleted,
    MultipleCredentialsNotSupported,
    VersionChanged,
)
from connections.services.grants import erase_unused
from connections.services.locks import hold
from connections.services.pasting import complete
from connections.services.proving import (
    check_finding,
    connected,
    fill_from,
    finish_pending,
    keep_proof,
)
from connections.services.rows import clean_name, label_of, note
from connections.services.selections import copied_streams
from connections.services.states import apply_finding, reconsider
from connections.services.verification import count_verification, refused, verify_entry
from connections.signals import secret_changed
from connections.transport.errors import ProviderError
from connections.transport.ledger import Purpose
from tenants.actor import Actor


class Unchanged(Enum):
    """Stands for what is left out, where null means something."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
NOT_TOLD = "It does not tell what it connects, nor does the connection: finish it in the browser."


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A credential with what its checks found. `credential` is None after a dry run."""

    credential: Credential | None
    finding: Finding


def create_credential(
    *,
    connection: Connection,
    secrets: Mapping[str, Any],
    by: Actor,
    method: str | None = None,
    label: str = "",
    settings: Mapping[str, Any] | None = None,
    expiration_date: date | None = None,
    dry_run: bool = False,
) -> Stored:
    """Verify a secret, then keep it. On failure nothing is stored.

    Makes requests: never call it in a transaction. Raises InvalidFields, UnknownMethodGiven,
    MultipleCredentialsNotSupported, VerificationFailed, OtherWorkspace, VerificationsTooMany.
    """
    kind = connector(connection.connector)
    known = connected(connection)
    asked = NewCredential(secrets=secrets, method=method, settings=settings or {})
    asked, known = complete(kind, connection.organization_id, asked, known)
    if not kind.place_in(known):
        raise InvalidFields({"secrets": NOT_TOLD})
    given = read_given(kind, method=asked.method, settings=asked.settings, secrets=secrets)
    name = clean_name(label, field="label") if label.strip() else ""
    if not kind.supports_multiple_credentials and _has_credential(connection):
        raise MultipleCredentialsNotSupported
    count_verification(connection.organization_id)
    entry = given.entry(known)
    finding = verify_entry(kind, entry, copied_streams(connection))
    check_finding(finding, connection)
    if dry_run:
        return Stored(credential=None, finding=finding)
    credential = Credential(
        connection=connection,
        organization_id=connection.organization_id,
        method=given.method.key,
        label=name or label_of(kind, entry, finding.identity),
        settings=given.settings,
        secrets=given.secrets,
        expiration_date=expiration_date,
    )
    with transaction.atomic():
        fill_from(credential, entry, finding)
        credential.save()
        note("credentials.created", credential, by, {"method": credential.method})
        keep_proof(credential, finding, by)
        finish_pending(connection, finding, by)
        apply_finding(credential, finding)
    connection.refresh_from_db()
    return Stored(credential=credential, finding=finding)


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
) -> Stored:
    """Change a credential; what is left out stays. It is verified in full each time.

    `settings` merges by key, None removes one; `secrets` replaces all. On failure the row is as it
    was, but a change of label or expiration date alone is stored whatever the checks say. Raises
    like `create_credential`, and VersionChanged.
    """
    count_verification(credential.organization_id)
    changes: dict[str, Any] = {}
    if label is not None:
        changes["label"] = clean_name(label, field="label")
    if expiration_date is not UNCHANGED:
        changes["expiration_date"] = expiration_date
    if settings or secrets:
        return _replace(credential, changes, settings or {}, secrets, by, version, dry_run)
    finding = _check_stored(credential)
    if not dry_run:
        with transaction.atomic():
            _store_changes(credential, changes, by, version)
            keep_proof(credential, finding, by)
            apply_finding(credential, finding)
    return Stored(credential=None if dry_run else credential, finding=finding)


def _replace(
    credential: Credential,
    changes: dict[str, Any],
    settings: Mapping[str, str | None],
    secrets: Mapping[str, Any] | None,
    by: Actor,
    version: int | None,
    dry_run: bool,
) -> Stored:
    connection = credential.connection
    kind = connector(connection.connector)
    if credential.grant_id is not None:
        raise InvalidFields({"secrets": "A Bitbucket authorization is renewed in the browser."})
    merged = {**credential.settings, **settings}
    given = read_given(
        kind,
        method=credential.method,
        settings={name: value for name, value in merged.items() if value is not None},
        secrets=secrets or dict(credential.secrets or {}),
    )
    entry = given.entry(connected(connection))
    finding = verify_entry(kind, entry, copied_streams(connection))
    check_finding(finding, connection)
    if dry_run:
        return Stored(credential=None, finding=finding)
    with transaction.atomic():
        changes |= {"settings": given.settings}
        if secrets:
            changes |= {"secrets": given.secrets}
        _store_changes(credential, changes, by, version, entry=entry, finding=finding)
        keep_proof(credential, finding, by)
        apply_finding(credential, finding)
        if secrets:
            secret_changed.send(sender=Credential, credential=credential, shown=None)
    connection.refresh_from_db()
    return Stored(credential=credential, finding=finding)


def _store_changes(
    credential: Credential,
    changes: dict[str, Any],
    by: Actor,
    version: int | None,
    *,
    entry: Entry | None = None,
    finding: Finding | None = None,
) -> None:
    """Write what changes, if the version that was asked for still stands, and the audit trail."""
    proved = credential.settings, credential.secrets
    _hold(credential, version)
    if "settings" in changes and (credential.settings, credential.secrets) != proved:
        raise VersionChanged  # what was verified would be stored beside what was not
    if all(getattr(credential, name) == value for name, value in changes.items()):
        return
    before = {name: getattr(credential, name) for name in changes if name != "secrets"}
    for name, value in changes.items():
        setattr(credential, name, value)
    credential.version += 1
    if entry is not None and finding is not None:
        fill_from(credential, entry, finding)
    credential.save()
    told: dict[str, Any] = {
        name: [_plain(old), _plain(changes[name])]
        for name, old in before.items()
        if old != changes[name]
    }
    if "secrets" in changes:
        told["secrets"] = "changed"
    note("credentials.updated", credential, by, told)


@transaction.atomic
def delete_credential(*, credential: Credential, by: Actor, version: int | None = None) -> None:
    """Delete softly and erase the secret at once. The last one may go: the connection says so."""
    _hold(credential, version)
    _set(credential, secrets=None, deleted_at=now())
    erase_unused(credential.grant_id)
    note("credentials.deleted", credential, by)
    reconsider(credential.connection)


@transaction.atomic
def disable_credential(*, credential: Credential, by: Actor, version: int | None = None) -> None:
    """Switch a credential off. Its secret stays."""
    _hold(credential, version)
    if credential.disabled_at is not None:
        return
    _set(credential, status=Credential.Status.DISABLED, disabled_at=now())
    note("credentials.disabled", credential, by)
    reconsider(credential.connection)


@transaction.atomic
def enable_credential(*, credential: Credential, by: Actor, version: int | None = None) -> None:
    """Switch a credential on again. Its next verification says whether it still works."""
    _hold(credential, version)
    if credential.disabled_at is None:
        return
    _set(credential, status=Credential.Status.ACTIVE, status_message="", disabled_at=None)
    note("credentials.enabled", credential, by)
    reconsider(credential.connection)


def _check_stored(credential: Credential) -> Finding:
    kind = connector(credential.connection.connector)
    streams = copied_streams(credential.connection)
    try:
        entry = entry_for(credential, purpose=Purpose.VERIFY)
    except ProviderError as error:
        return refused(kind, credential.method, streams, error)
    return verify_entry(kind, entry, streams)


def _has_credential(connection: Connection) -> bool:
    return connection.credentials.filter(deleted_at=None).exists()


def _hold(credential: Credential, version: int | None) -> None:
    """Read the row again, and hold it.

    Raises VersionChanged, CredentialDeleted.
    """
    hold(credential.connection_id)
    rows = Credential.objects.select_for_update(no_key=True).filter(pk=credential.pk)
    if not rows.filter(deleted_at=None).exists():
        raise CredentialDeleted
    credential.refresh_from_db(from_queryset=rows)
    if version is not None and credential.version != version:
        raise VersionChanged


def _set(credential: Credential, **changes: Any) -> None:
    Credential.objects.filter(pk=credential.pk, deleted_at=None).update(
        version=F("version") + 1, **changes
    )
    credential.refresh_from_db()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
