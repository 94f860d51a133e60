"""What the audit trail says of connections, and of each use of a secret. Never a secret itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connections.connectors import connector
from connections.connectors.findings import OK, Finding
from connections.models import Connection, Credential, Draft, Grant
from tenants.actor import Actor
from tenants.services import audit

# A row; or where there is none yet: the organization’s id, the connector and a name.
TriedFor = Connection | Credential | Draft | tuple[int, str, str]
KINDS = {Connection: "connection", Credential: "credential", Draft: "draft", Grant: "grant"}


def note(
    event_type: str,
    row: Connection | Credential | Draft | Grant,
    by: Actor,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Write the audit trail. `changes` never holds a secret."""
    audit.record(
        organization=row.organization_id,
        event_type=event_type,
        by=by,
        target=_target(row),
        changes=dict(changes or {}),
    )


def note_verification(credential: Credential, finding: Finding, by: Actor | None) -> None:
    """Write down that a stored secret was used for a verification, unless it was not even sent."""
    if finding.requests:
        actor = by or Actor.system()
        note_use(credential, actor, reason="verification", requests=finding.requests)


def note_use(credential: Credential, by: Actor, *, reason: str, requests: int) -> None:
    """Write down that a secret was used, for what (“sync 12”) and for how many requests."""
    note("credentials.used", credential, by, {"for": reason, "requests": requests})


def note_grant(event: str, grant: Grant, by: Actor, *, requests: int = 0) -> None:
    """Write down what became of an authorization, and how many requests that took."""
    changes: dict[str, Any] = {"workspaces": slugs(grant.workspaces)}
    note(event, grant, by, changes | ({"requests": requests} if requests else {}))


def note_draft_use(
    draft: Draft, by: Actor, *, reason: str, requests: int, outcome: str = ""
) -> None:
    """Write down that what a draft holds was used: its secret, or its authorization."""
    if draft.grant is not None:
        if requests:
            note("grants.used", draft.grant, by, {"for": reason, "requests": requests})
        return
    note_tried(draft, by, method=draft.method, requests=requests, reason=reason, outcome=outcome)


def note_tried(
    tried_for: TriedFor,
    by: Actor,
    *,
    method: str,
    requests: int,
    reason: str = "verification",
    outcome: str = "",
) -> None:
    """Write down that a secret was used that is not kept, or not yet, unless it was not sent."""
    if isinstance(tried_for, tuple):
        organization, kind, name = tried_for
        target = {"type": "connection", "id": None, "name": name or connector(kind).label}
    else:
        organization, kind = tried_for.organization_id, _connector_of(tried_for)
        target = _target(tried_for)
    told = {"method": method, "for": reason, "outcome": outcome}
    note_tried_at(organization, kind, target, by, requests=requests, told=told)


def note_tried_at(
    organization: int,
    kind: str,
    target: Mapping[str, Any],
    by: Actor,
    *,
    requests: int,
    told: Mapping[str, str],
) -> None:
    """As `note_tried`, where it is known already what it was tried for; `kind` is the connector."""
    if not requests:
        return
    changes = {"requests": requests, "connector": kind, **told}
    audit.record(
        organization=organization,
        event_type="secrets.tried",
        by=by,
        target=dict(target),
        changes={name: value for name, value in changes.items() if value and value != OK},
    )


@dataclass
class Use:
    """Of a secret that was verified, and may be kept."""

    is_kept: bool = False


@contextmanager
def unless_kept(note_it: Callable[[], None]) -> Iterator[Use]:
    """Where the body refuses a secret that was verified, or tries it only, note the use by itself.

    What is kept is noted with it, in its transaction: see `proving.keep_proof`.
    """
    use = Use()
    try:
        yield use
    finally:
        if not use.is_kept:
            note_it()


def author_of(draft: Draft) -> Actor:
    """Whose draft it is, where no request tells more of them."""
    if draft.by is not None:
        return Actor.for_user(draft.by)
    return Actor.visitor().holding(draft.link_id, draft.link.asked_by_name if draft.link else "")


def organization_of(tried_for: TriedFor) -> int:
    """The id of the organization in whose name a secret is tried."""
    return tried_for[0] if isinstance(tried_for, tuple) else tried_for.organization_id


def slugs(workspaces: Sequence[Mapping[str, Any]]) -> list[str]:
    """Workspaces as people know them."""
    return [one["slug"] for one in workspaces]


def _target(row: Connection | Credential | Draft | Grant) -> dict[str, Any]:
    target: dict[str, Any] = {"type": KINDS[type(row)], "id": row.pk, "name": _name_of(row)}
    if isinstance(row, Credential):
        target["connection"] = {"id": row.connection_id, "name": row.connection.name}
    return target


def _name_of(row: Connection | Credential | Draft | Grant) -> str:
    if isinstance(row, Draft) and not row.name:
        return str(row.place or connector(row.connector).label)
    return str(row)


def _connector_of(row: Connection | Credential | Draft) -> str:
    return str(row.connection.connector if isinstance(row, Credential) else row.connector)
