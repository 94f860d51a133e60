"""Rows as the API answers them. No secret is ever in one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from connections.connectors import connectors
from connections.connectors.base import Connector, Method
from connections.connectors.findings import Finding
from connections.connectors.schema import schema_of
from connections.models import Connection, Credential, Verification
from connections.selectors import standings_of
from connections.services.comparing import Comparison
from connections.services.selections import needless_scopes, wanted_streams
from connections.services.tags import tags_of
from tenants.api import etag, timestamp

# What the model calls available, the API calls verified.
STATES = {
    Connection.Status.PENDING: "pending",
    Connection.Status.AVAILABLE: "verified",
    Connection.Status.ERROR: "error",
    Connection.Status.DISABLED: "disabled",
}
STATUSES = {state: status for status, state in STATES.items()}
NAMED = 100  # repositories in a comparison
# Columns behind `credential_row`: neither the secret nor what else a connection holds.
SHOWN_OF_CREDENTIAL = (
    "organization",
    "label",
    "method",
    "settings",
    "created_at",
    "disabled_at",
    "expiration_date",
    "status",
    "identity",
    "acts_as",
    "scopes",
    "last_used_at",
    "version",
)
CHECK_KEYS = (
    "name",
    "method",
    "path",
    "status",
    "ms",
    "outcome",
    "missing_scopes",
    "message",
    "curl",
)


def connection_row(connection: Connection) -> dict[str, Any]:
    """A connection."""
    kind = connectors().get(connection.connector)
    return {
        "id": connection.pk,
        "public_id": str(connection.public_id),
        "type": connection.connector,
        "name": connection.name,
        "state": STATES[Connection.Status(connection.status)],
        "state_code": connection.status_code or None,
        "state_message": connection.status_message or None,
        "settings": connection.settings,
        "parent_id": connection.parent_id,
        "schedule": connection.schedule,
        "selection": _selection(connection, kind),
        "tags": tags_of(connection),
        "supports_multiple_credentials": bool(kind and kind.supports_multiple_credentials),
        "disabled_at": timestamp(connection.disabled_at),
        "last_synced_at": timestamp(connection.last_synced_at),
        "next_sync_at": timestamp(connection.next_sync_at),
        "verified_at": timestamp(connection.verified_at),
        "created_at": timestamp(connection.created_at),
        "etag": etag(connection),
    }


def _selection(connection: Connection, kind: Connector | None) -> dict[str, Any]:
    """What is copied, each stream by name; where none was chosen, that is all of them."""
    selection: dict[str, Any] = connection.selection
    if kind is None:
        return selection
    return {**selection, "streams": list(wanted_streams(kind, selection))}


def standing_rows(
    credentials: Sequence[Credential], connection: Connection
) -> list[dict[str, Any]]:
    """Credentials of this connection, each with what it sees and may still ask."""
    standing = standings_of(credentials)
    return [
        {**credential_row(one, connection.connector), **_standing_row(standing[one.pk])}
        for one in credentials
    ]


def _standing_row(standing: Any) -> dict[str, Any]:
    quota = standing.quota
    return {
        "reach": {"sees": standing.sees, "chosen": standing.chosen},
        "quota": quota
        and {
            "limit": quota.limit,
            "used": quota.used,
            "left": quota.left,
            "free_at": timestamp(quota.free_at),
        },
        "shares_quota_with": [one.pk for one in standing.sharing],
    }


def credential_row(credential: Credential, connector: str) -> dict[str, Any]:
    """A credential of a connection with this connector."""
    return {
        "id": credential.pk,
        "type": connector,
        "label": credential.label,
        "method": credential.method,
        "settings": credential.settings,
        "created_at": timestamp(credential.created_at),
        "disabled_at": timestamp(credential.disabled_at),
        "expiration_date": _day(credential.expiration_date),
        "status": credential.status,
        "identity": credential.identity or None,
        "acts_as": credential.acts_as or None,
        "scopes": credential.scopes,
        "last_used_at": timestamp(credential.last_used_at),
        "etag": etag(credential),
    }


def verification_row(verification: Verification) -> dict[str, Any]:
    """A verification as it is stored."""
    credential = verification.credential
    unneeded = needless_scopes(credential) if credential is not None else ()
    return _proof(verification.outcome, verification.checks, unneeded)


def finding_row(finding: Finding) -> dict[str, Any]:
    """A verification that ran inside the request."""
    return _proof(finding.outcome, finding.check_rows(), finding.needless_scopes)


def comparison_row(comparison: Comparison) -> dict[str, Any]:
    """What new secrets see beside the old ones."""
    return {
        "sees": comparison.sees,
        "saw": comparison.saw,
        "fewer_count": len(comparison.fewer),
        "fewer": list(comparison.fewer[:NAMED]),
        "more_count": len(comparison.more),
        "more": list(comparison.more[:NAMED]),
    }


def connector_row(connector: Connector) -> dict[str, Any]:
    """A connector: its methods with their schemas, its streams."""
    return {
        "type": connector.key,
        "name": connector.label,
        "supports_multiple_credentials": connector.supports_multiple_credentials,
        "requires_parent": connector.requires_parent or None,
        "settings_schema": schema_of(connector.settings),
        "methods": [_method_row(method) for method in connector.methods],
        "streams": [stream.key for stream in connector.streams],
    }


def _proof(
    outcome: str, checks: Iterable[Mapping[str, Any]], unneeded: Sequence[str]
) -> dict[str, Any]:
    rows = [{key: check.get(key) for key in CHECK_KEYS} for check in checks]
    return {"outcome": outcome, "checks": rows, "unneeded_scopes": list(unneeded)}


def _method_row(method: Method) -> dict[str, Any]:
    return {
        "method": method.key,
        "name": method.label,
        "deprecated": method.deprecated,
        "scopes": [scope.name for scope in method.scopes if not scope.optional],
        "settings_schema": schema_of(method.settings),
        "secrets_schema": schema_of(method.secrets),
        "help_url": method.help_url,
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
