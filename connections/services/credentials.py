"""Everything that changes a credential. A secret is verified before it is stored."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.connectors.findings import Finding
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential
from connections.services.changing import Stored
from connections.services.entering import NewCredential, read_given
from connections.services.errors import (
    MultipleCredentialsNotSupported,
)
from connections.services.grants import erase_unused
from connections.services.locks import hold_credential, next_version
from connections.services.pasting import complete
from connections.services.proving import (
    check_finding,
    connected,
    fill_from,
    finish_pending,
    keep_proof,
    tried,
)
from connections.services.rows import clean_name, label_of
from connections.services.selections import copied_streams
from connections.services.states import apply_finding, reconsider
from connections.services.trail import note, unless_kept
from connections.services.verification import count_verification, verify_entry
from tenants.actor import Actor

NOT_TOLD = "It does not tell what it connects, nor does the connection: finish it in the browser."


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
    asked, known = complete(kind, asked, known, tried_for=connection, by=by)
    if not kind.place_in(known):
        raise InvalidFields({"secrets": NOT_TOLD})
    given = read_given(kind, method=asked.method, settings=asked.settings, secrets=secrets)
    name = clean_name(label, field="label") if label.strip() else ""
    if not kind.supports_multiple_credentials and _has_credential(connection):
        raise MultipleCredentialsNotSupported
    count_verification(connection.organization_id)
    entry = given.entry(known, connection.organization_id)
    finding = verify_entry(kind, entry, copied_streams(connection))
    with unless_kept(tried(connection, given, finding, by)) as use:
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
        _add(credential, entry, finding, by)
        use.is_kept = True
    connection.refresh_from_db()
    return Stored(credential=credential, finding=finding)


@transaction.atomic
def _add(credential: Credential, entry: Entry, finding: Finding, by: Actor) -> None:
    fill_from(credential, entry, finding)
    credential.save()
    note("credentials.created", credential, by, {"method": credential.method})
    keep_proof(credential, finding, by)
    finish_pending(credential.connection, finding, by)
    apply_finding(credential, finding)


@transaction.atomic
def delete_credential(*, credential: Credential, by: Actor, version: int | None = None) -> None:
    """Delete softly and erase the secret at once. The last one may go: the connection says so."""
    hold_credential(credential, version)
    _set(credential, secrets=None, deleted_at=now())
    erase_unused(credential.grant_id)
    note("credentials.deleted", credential, by)
    reconsider(credential.connection)


@transaction.atomic
def disable_credential(*, credential: Credential, by: Actor, version: int | None = None) -> None:
    """Switch a credential off. Its secret stays."""
    hold_credential(credential, version)
    if credential.disabled_at is not None:
        return
    _set(credential, status=Credential.Status.DISABLED, disabled_at=now())
    note("credentials.disabled", credential, by)
    reconsider(credential.connection)


@transaction.atomic
def enable_credential(*, credential: Credential, by: Actor, version: int | None = None) -> None:
    """Switch a credential on again. Its next verification says whether it still works."""
    hold_credential(credential, version)
    if credential.disabled_at is None:
        return
    _set(credential, status=Credential.Status.ACTIVE, status_message="", disabled_at=None)
    note("credentials.enabled", credential, by)
    reconsider(credential.connection)


def _has_credential(connection: Connection) -> bool:
    return connection.credentials.filter(deleted_at=None).exists()


def _set(credential: Credential, **changes: Any) -> None:
    next_version(credential)
    Credential.objects.filter(pk=credential.pk).update(**changes)
    credential.refresh_from_db()
