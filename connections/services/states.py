"""What successes and failures do to the states of a connection and its credentials."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.timezone import now as present

from connections.connectors import connector
from connections.connectors.endings import told_by_checks
from connections.connectors.findings import Finding, lacks
from connections.dispatch import VERIFY_CREDENTIAL, send_on_commit
from connections.models import Connection, Credential, Grant, Verification
from connections.models.credential import usable_credentials
from connections.services.locks import hold
from connections.services.removals import note_removals
from connections.transport.errors import (
    BlockedAddress,
    ConsentEnded,
    InvalidCredentials,
    InvalidPermissions,
    ProviderError,
    QuotaExhausted,
)
from tenants.actor import Actor
from tenants.services import audit

FAILURES, WITHIN = 3, timedelta(minutes=30)  # so many, over so long, before a person is called
DAILY, SOON = timedelta(days=1), timedelta(minutes=15)
# What waiting can mend. A connection in error for one of these comes back by itself.
PASSING = {"unreachable", "tls_error", "provider_rate_limited", "unexpected_response"}
# What follows from the credentials alone, and ends with a credential that works.
OF_CREDENTIALS = {
    "no_credentials": "Nothing can be read without one. Add one, or enable one that is off.",
    "credential_expired": "The last credential has expired. Enter a new one.",
    "consent_revoked": "The authorization at Bitbucket has ended. Authorize again.",
    "invalid_credentials": "Bitbucket refuses every credential of this connection.",
}


def note_success(connection: Connection) -> None:
    """Bitbucket answered as it should: failures in a row are over."""
    row = Connection.objects.get(pk=connection.pk)
    passing = row.status == Connection.Status.ERROR and row.status_code in PASSING
    if row.failures or row.failing_since or passing:
        changes: dict[str, object] = {"failures": 0, "failing_since": None}
        if passing or row.status == Connection.Status.AVAILABLE:
            changes |= {"status_code": "", "status_message": ""}
        if passing:
            changes["status"] = Connection.Status.AVAILABLE
        _change(connection, **changes)


def note_failure(
    connection: Connection,
    error: ProviderError,
    *,
    credential: Credential | None = None,
    now: datetime | None = None,
) -> None:
    """Draw the conclusions of one failure; those of a single repository are not for here.

    Unreachable, 5xx, TLS trouble, 429 count and do nothing before the third over 30 minutes. A
    refused secret is set aside, and verified at once; its connection needs a person only when no
    other credential works.
    """
    moment = now or present()
    if isinstance(error, QuotaExhausted):
        return
    if isinstance(error, InvalidCredentials):
        if credential is not None:
            _set_aside(credential, error, moment)
    elif isinstance(error, InvalidPermissions):
        if credential is not None and error.missing_scopes:
            limit(credential, error.missing_scopes)
    elif isinstance(error, BlockedAddress):
        _fail(connection, error.code, error.message)
    elif error.code in PASSING and error.retryable:
        _count(connection, error.code, error.message, moment)


def apply_finding(credential: Credential, finding: Finding, *, now: datetime | None = None) -> None:
    """Draw the conclusions of a whole verification, in one transaction."""
    moment, finding = now or present(), finding.of_secret
    outcome = finding.outcome
    with transaction.atomic():
        connection = hold(credential.connection_id)
        endpoints = connector(connection.connector).endpoints
        note_removals(connection, told_by_checks(endpoints, finding.checks), moment)
        if outcome in PASSING:
            _count(connection, outcome, finding.message, moment)
            _change(connection, next_verification_at=moment + SOON)
        else:
            _judge(credential, finding, moment)
            _change(connection, next_verification_at=moment + DAILY)
            if outcome == Verification.Outcome.OK or finding.streams_available:
                _change(connection, verified_at=moment, failures=0, failing_since=None)
                _refresh_name(connection, finding.identity.connected_name)
                _recover(connection)
            reconsider(connection, because=_because(credential, finding))
    credential.refresh_from_db()


def reconsider(connection: Connection, *, because: tuple[str, str] | None = None) -> None:
    """Put a connection into error or out of it, as its credentials stand. `because`: code, text."""
    row = Connection.objects.get(pk=connection.pk)
    if row.deleted_at or row.status in {Connection.Status.DISABLED, Connection.Status.PENDING}:
        return
    if usable_credentials(row).exists():
        if row.status == Connection.Status.ERROR and row.status_code in OF_CREDENTIALS:
            _change(connection, status=Connection.Status.AVAILABLE, **_no_reason())
        return
    code, message = because or _of_credentials(row)
    _fail(connection, code, message)


def limit(credential: Credential, missing_scopes: tuple[str, ...]) -> None:
    """Note scopes that a credential lacks. It goes on for what it can read."""
    named = list(dict.fromkeys([*credential.missing_scopes, *missing_scopes]))
    Credential.objects.filter(pk=credential.pk, deleted_at=None, disabled_at=None).update(
        status=Credential.Status.LIMITED,
        missing_scopes=named,
        status_message=f"It {lacks(named)}.",
    )
    credential.refresh_from_db()


def _set_aside(credential: Credential, error: InvalidCredentials, moment: datetime) -> None:
    status, code, message = _refusal(credential, error.message, moment)
    if isinstance(error, ConsentEnded):
        code = "consent_revoked"
        Grant.objects.filter(credentials=credential, ended_at=None).update(ended_at=moment)
    with transaction.atomic():
        hold(credential.connection_id)
        Credential.objects.filter(pk=credential.pk, deleted_at=None, disabled_at=None).update(
            status=status, status_message=message
        )
        reconsider(credential.connection, because=(code, message))
        send_on_commit(VERIFY_CREDENTIAL, credential.organization_id, credential.pk)
    credential.refresh_from_db()


def _refusal(credential: Credential, message: str, moment: datetime) -> tuple[str, str, str]:
    if credential.has_expired(moment):
        return Credential.Status.EXPIRED, "credential_expired", expired(credential)
    return Credential.Status.INVALID, "invalid_credentials", message


def expired(credential: Credential) -> str:
    """What is said of a credential whose date lies behind."""
    last_day = credential.expiration_date
    return f"It expired on {last_day.isoformat() if last_day else 'its day'}. Enter a new secret."


def _judge(credential: Credential, finding: Finding, moment: datetime) -> None:
    changes: dict[str, object] = {"status_message": "", "missing_scopes": []}
    if finding.identity.scopes:
        changes["scopes"] = list(finding.identity.scopes)
    if finding.identity.acts_as:
        changes |= {
            "identity": finding.identity.acts_as,
            "quota_subject": finding.identity.quota_subject,
        }
    if finding.identity.acts_as_name:
        changes |= {"acts_as": finding.identity.acts_as_name}
    if finding.identity.sees is not None:
        changes |= {"sees": finding.identity.sees, "kind": finding.identity.kind}
    if credential.has_expired(moment) and finding.outcome not in PASSING:
        changes |= {
            "status": Credential.Status.EXPIRED,
            "status_message": expired(credential),
        }
    elif finding.is_ok:
        changes["status"] = Credential.Status.ACTIVE
    elif finding.outcome == Verification.Outcome.INVALID_CREDENTIALS:
        status, _, message = _refusal(credential, finding.message, moment)
        changes |= {"status": status, "status_message": message}
    else:
        usable = bool(finding.streams_available)
        changes |= {
            "status": Credential.Status.LIMITED if usable else Credential.Status.INVALID,
            "status_message": finding.message,
            "missing_scopes": list(finding.missing_scopes),
        }
    Credential.objects.filter(pk=credential.pk, deleted_at=None, disabled_at=None).update(**changes)


def _because(credential: Credential, finding: Finding) -> tuple[str, str] | None:
    if finding.outcome == Verification.Outcome.WORKSPACE_NOT_FOUND:
        return "workspace_gone", "Bitbucket shows this workspace to no credential any more."
    if finding.outcome == Verification.Outcome.INVALID_CREDENTIALS:
        return None
    return finding.outcome, finding.message


def _of_credentials(connection: Connection) -> tuple[str, str]:
    rows = list(connection.credentials.filter(deleted_at=None, disabled_at=None))
    if not rows:
        code = "no_credentials"
    elif any(row.status == Credential.Status.EXPIRED for row in rows):
        code = "credential_expired"
    elif any(row.grant is not None and row.grant.ended_at for row in rows):
        code = "consent_revoked"
    else:
        code = "invalid_credentials"
    return code, OF_CREDENTIALS[code]


def _count(connection: Connection, code: str, message: str, moment: datetime) -> None:
    row = Connection.objects.get(pk=connection.pk)
    since, failures = row.failing_since or moment, row.failures + 1
    changes: dict[str, object] = {"failing_since": since, "failures": failures}
    is_long = failures >= FAILURES and moment - since >= WITHIN
    if row.status == Connection.Status.AVAILABLE:
        changes |= {"status_message": message}
        if is_long:
            changes |= {"status": Connection.Status.ERROR, "status_code": code}
    _change(connection, **changes)


def _recover(connection: Connection) -> None:
    """A credential works: whatever the error was, it is over."""
    if connection.status in {Connection.Status.ERROR, Connection.Status.AVAILABLE}:
        _change(connection, status=Connection.Status.AVAILABLE, **_no_reason())


def _refresh_name(connection: Connection, slug: str) -> None:
    before = connection.place
    if not slug or before == slug:
        return
    _change(
        connection,
        settings=connection.at(slug),
        renamed_from=connection.renamed_from or before,
    )
    audit.record(
        organization=connection.organization_id,
        event_type="connections.renamed_at_bitbucket",
        by=Actor.system(),
        target={"type": "connection", "id": connection.pk, "name": connection.name},
        changes={connector(connection.connector).place: [before, slug]},
    )


def _fail(connection: Connection, code: str, message: str) -> None:
    if connection.status in {Connection.Status.AVAILABLE, Connection.Status.ERROR}:
        _change(
            connection, status=Connection.Status.ERROR, status_code=code, status_message=message
        )


def _no_reason() -> dict[str, object]:
    return {"status_code": "", "status_message": ""}


def _change(connection: Connection, **changes: object) -> None:
    """Change the row and the object at hand; `version` stays: it counts edits by people."""
    Connection.objects.filter(pk=connection.pk, deleted_at=None).update(**changes)
    for name, value in changes.items():
        setattr(connection, name, value)
