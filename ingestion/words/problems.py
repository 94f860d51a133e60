"""Problems as cards: what happened, whether it can wait, who can mend it, the way out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.models import Connection, Credential
from connections.services.states import PASSING
from ingestion.models import State, Sync
from ingestion.selectors.connections import ENDED, ConnectionRow
from ingestion.words.counted import counted
from ingestion.words.syncs import duration
from tenants.formats import duration as lasting
from tenants.templatetags.tributary import clock

WHAT = {
    "no_credentials": "no credential is left",
    "credential_expired": "the credential has expired",
    "consent_revoked": "the Bitbucket authorization has ended",
    "workspace_gone": "the workspace is gone",
    "workspace_not_found": "Bitbucket knows no such workspace",
    "invalid_credentials": "Bitbucket refuses the token",
    "invalid_permissions": "a scope or a role is missing",
    "no_resources": "there is nothing to see any more",
    "unreachable": "Bitbucket does not answer",
    "tls_error": "Bitbucket could not prove who it is",
    "blocked_address": "its address is not allowed here",
    "provider_rate_limited": "Bitbucket allows no more requests",
    "unexpected_response": "Bitbucket's answers make no sense",
    "endpoint_removed": "Bitbucket removed what was asked for",
    "not_found": "Bitbucket shows no such thing",
    "many_gone": "much is not listed any more",
}
NEEDS_SECRET = {
    "no_credentials",
    "credential_expired",
    "consent_revoked",
    "invalid_credentials",
    "invalid_permissions",
}
MENDERS = {
    "admin": "An admin here can mend it.",
    "workspace_admin": "An administrator of the workspace at Bitbucket can mend it.",
    "operator": "Whoever runs this installation can mend it.",
    "time": "Nobody needs to act: it is tried again by itself.",
}

WAITING = {True: "Waiting can help: the next sync tries again.", False: "Waiting does not help."}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One cause, on one connection or on several."""

    code: str
    title: str
    message: str
    can_wait: SafeString | str
    who_else: str  # who can mend it, where that is nobody here
    since: datetime | None
    connections: list[Connection]
    action: str
    url: str
    link: str  # absolute, to send to someone who can mend it
    evidence: dict[str, Any]

    @property
    def names(self) -> str:
        """The connections it touches, where they are several."""
        if len(self.connections) == 1:
            return ""
        return ", ".join(connection.name for connection in self.connections)


def problems(organization_slug: str, rows: Sequence[ConnectionRow]) -> list[Problem]:
    """One card for each cause; a cause on several connections is one card."""
    causes: dict[tuple[str, str], list[ConnectionRow]] = {}
    for row in rows:
        error = cause(row)
        if error is not None:
            causes.setdefault((error["code"], error["message"]), []).append(row)
    return [_problem(organization_slug, found) for found in causes.values()]


def cause(row: ConnectionRow) -> dict[str, Any] | None:
    """Why a connection needs a person: code, message, mended_by, evidence. None: it does not."""
    connection = row.connection
    if not row.needs_you:
        return None
    if connection.status == Connection.Status.ERROR:
        code = connection.status_code or "unexpected_response"
        message = connection.status_message or "No reason was noted."
        return {"code": code, "message": message, "mended_by": "admin"}
    if row.failure:
        return {"code": "", "message": "", **row.failure}
    return row.freshness.question or _limited(row)


def _limited(row: ConnectionRow) -> dict[str, Any]:
    lacks = row.limited.status_message if row.limited else ""
    message = f"{lacks} What needs it stands still; everything else goes on.".strip()
    return {"code": "invalid_permissions", "message": message, "mended_by": "admin"}


def _problem(slug: str, rows: list[ConnectionRow]) -> Problem:
    error = cause(rows[0]) or {}
    code = str(error["code"])
    connections = [row.connection for row in rows]
    names = counted(len(rows), "connection") if len(rows) > 1 else str(connections[0])
    action, url = way_out(slug, connections[0], rows[0].credentials, code)
    return Problem(
        code=code,
        title=f"{names}: {WHAT.get(code, 'something needs you')}",
        message=str(error["message"]),
        can_wait=can_wait(rows),
        who_else=_who_else(str(error.get("mended_by"))),
        since=_since(rows[0], code),
        connections=connections,
        action=action,
        url=url,
        link=f"{settings.PUBLIC_URL}{url}",
        evidence=error.get("evidence") or {},
    )


def problem_of_sync(sync: Sync, credentials: Sequence[Credential]) -> Problem:
    """Why a sync ended as it did. One that waiting can help needs no button."""
    error, connection = sync.error or {}, sync.connection
    code, helps = str(error.get("code") or ""), bool(error.get("retryable"))
    slug = connection.organization.slug
    action, url = ("", "") if helps else way_out(slug, connection, credentials, code)
    return Problem(
        code=code,
        title=str(error.get("message") or "It ended without a reason being noted."),
        message=WAITING[helps],
        can_wait="What was complete stays.",
        who_else=_who_else(str(error.get("mended_by"))),
        since=None,
        connections=[connection],
        action=action,
        url=url,
        link=f"{settings.PUBLIC_URL}{url}" if url else "",
        evidence=error.get("evidence") or {},
    )


def _who_else(mender: str) -> str:
    return "" if mender == "admin" else MENDERS.get(mender, "")


def _since(row: ConnectionRow, code: str) -> datetime | None:
    """Since when, as far as that is known."""
    if code == "no_credentials":
        return row.went_at
    if code in PASSING and row.connection.failing_since:
        return row.connection.failing_since
    return _first_of_its_kind(row.last_syncs, code)


def _first_of_its_kind(syncs: Sequence[Sync], code: str) -> datetime | None:
    """When the first began of the syncs that ended badly for this cause, one after the other."""
    since = None
    for sync in reversed([sync for sync in syncs if sync.state in ENDED]):
        if sync.state == State.SUCCEEDED or (sync.error or {}).get("code") != code:
            break
        since = sync.started_at
    return since


def way_out(
    slug: str, connection: Connection, credentials: Sequence[Credential], code: str
) -> tuple[str, str]:
    """The one button of a problem: what it says, and where it leads."""
    where = [slug, connection.pk]
    if code not in NEEDS_SECRET:
        return "See the connection", reverse("ingestion:connection", args=where)
    if code == "no_credentials" and credentials:  # they are there, and switched off
        return "Enable a credential", reverse("connections:credentials", args=where)
    if code == "no_credentials":
        return "Add a credential", reverse("connections:credential_add", args=where)
    secrets = [one for one in credentials if one.grant_id is None]
    if len(credentials) == len(secrets) == 1:
        which = [*where, secrets[0].pk]
        return "Rotate the credential", reverse("connections:credential_rotate", args=which)
    return "Rotate a credential", reverse("connections:credentials", args=where)


def can_wait(rows: Sequence[ConnectionRow]) -> SafeString | str:
    """Whether it can wait: up to when data stands, and how long catching up will take."""
    stands = [r.freshness.complete_as_of for r in rows if r.freshness.complete_as_of]
    if not stands:
        return "Nothing is being lost: what is missing is read once it is mended."
    sentence = format_html("Nothing is being lost. Data stands at {}", clock(min(stands)))
    took = [t for row in rows for t in [_catch_up(row.last_syncs)] if t]
    if not took:
        return format_html("{}.", sentence)
    return format_html("{}; once mended it catches up in about {}.", sentence, lasting(max(took)))


def _catch_up(syncs: Sequence[Sync]) -> float:
    whole = [s for s in syncs if s.state in ("succeeded", "partial")]
    took = duration(whole[-1]) if whole else None
    return took.total_seconds() if took else 0.0
