"""What the wizard knows between its steps. Success turns it into a connection, all at once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import Entry
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential, Draft, Grant, Verification
from connections.services.entering import read_given
from connections.services.entries import draft_entry_values, secret_hash
from connections.services.errors import (
    AlreadyConnected,
    NotVerified,
    OtherWorkspace,
    UnknownMethodGiven,
)
from connections.services.grants import erase_unused
from connections.services.rows import (
    check_name,
    connected_as,
    default_label,
    note,
    store_connection,
)
from connections.services.schedules import clean_schedule, next_run
from connections.services.selections import clean_selection
from connections.services.states import DAILY
from connections.services.verification import draft_streams, judge_draft
from tenants.actor import Actor
from tenants.models import Organization, User

__all__ = (
    "NotVerified",
    "choose",
    "choose_workspace",
    "discard_draft",
    "fill_draft",
    "finish_draft",
    "leave_out",
    "start_draft",
    "use_grant",
)
KEPT = timedelta(minutes=60)  # after its last touch a draft forgets its secret


def start_draft(
    *,
    organization: Organization,
    connector: str,
    by: User,
    actor: Actor,
    connection: Connection | None = None,
) -> Draft:
    """Begin to connect; or to finish or renew `connection`. Raises UnknownConnector."""
    kind = connector_of(connector)
    return Draft.objects.create(
        organization=organization,
        connector=kind.key,
        connection=connection,
        name=connection.name if connection else "",
        settings=dict(connection.settings) if connection else {},
        selection=dict(connection.selection) if connection else {},
        schedule=dict(connection.schedule) if connection else {},
        by=by,
        expires_at=now() + KEPT,
    )


@transaction.atomic
def fill_draft(
    *,
    draft: Draft,
    method: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str] | None,
    actor: Actor,
    name: str = "",
) -> Draft:
    """Keep what was typed. A blank secret keeps the stored one of the same method.

    What was verified before is forgotten. Raises InvalidFields, UnknownMethodGiven.
    """
    kind = connector_of(draft.connector)
    kept = draft.secrets if draft.method == method and draft.expires_at > now() else None
    own = {field.name for field in kind.settings}
    connected = {key: value for key, value in settings.items() if key in own}
    others = {key: value for key, value in settings.items() if key not in own}
    problems: dict[str, str] = {}
    try:
        cleaned = kind.clean_settings(connected)
    except InvalidFields as error:
        problems |= error.fields
    try:
        given = read_given(kind, method=method, settings=others, secrets=secrets or kept or {})
    except InvalidFields as error:
        problems |= error.fields
    if problems:
        raise InvalidFields(problems)
    draft.method, draft.settings = given.method.key, {**cleaned, **given.settings}
    draft.secrets, draft.grant = given.secrets, None
    draft.name = name or draft.name
    return _touch(draft, forget=True)


@transaction.atomic
def use_grant(*, draft: Draft, grant: Grant, actor: Actor) -> Draft:
    """Go on with an authorization of the same organization instead of a secret."""
    if grant.organization_id != draft.organization_id or grant.ended_at is not None:
        raise UnknownMethodGiven("This authorization does not hold any more.")
    draft.grant, draft.method, draft.secrets = grant, "oauth2", None
    if len(grant.workspaces) == 1 and draft.connection is None:
        draft.settings = {"workspace": grant.workspaces[0]["slug"]}
    return _touch(draft, forget=True)


@transaction.atomic
def choose_workspace(*, draft: Draft, workspace: str, actor: Actor) -> Draft:
    """Choose among the workspaces that the authorization was given for, by id or slug.

    Raises InvalidFields for any other.
    """
    offered = draft.grant.workspaces if draft.grant is not None else []
    for one in offered:
        if workspace in {one["id"], one["slug"]}:
            draft.settings = {"workspace": one["slug"]}
            return _touch(draft, forget=True)
    raise InvalidFields({"settings.workspace": "The authorization was not given for this one."})


@transaction.atomic
def leave_out(*, draft: Draft, streams: Sequence[str]) -> Draft:
    """Go on without these streams, and without those that need them. Raises InvalidFields."""
    kind = connector_of(draft.connector)
    chosen = {key for key in streams if not _stream_required(kind, key)}
    for stream in kind.streams:
        if chosen.intersection(stream.needs):
            chosen.add(stream.key)
    draft.left_out = [stream.key for stream in kind.streams if stream.key in chosen]
    _touch(draft)
    latest = latest_verification(draft)
    if latest is not None and latest.finished_at is not None:
        outcome = judge_draft(draft, latest).outcome
        Verification.objects.filter(pk=latest.pk).update(outcome=outcome)
    return draft


@transaction.atomic
def choose(
    *,
    draft: Draft,
    name: str = "",
    selection: Mapping[str, Any] | None = None,
    schedule: Mapping[str, Any] | None = None,
) -> Draft:
    """Keep what is to be copied, and when. Raises InvalidFields."""
    kind = connector_of(draft.connector)
    if selection is not None:
        draft.selection = clean_selection(kind, selection)
    if schedule is not None:
        draft.schedule = clean_schedule(schedule)
    draft.name = name.strip() or draft.name
    return _touch(draft)


@transaction.atomic
def finish_draft(*, draft: Draft, actor: Actor) -> Connection:
    """Turn a verified draft into connection, credential and selection; the draft is gone then.

    Where the draft finishes or renews a connection, that one gets the credential. Raises
    NotVerified, NameTaken, AlreadyConnected, OtherWorkspace.
    """
    draft = Draft.objects.select_for_update().get(pk=draft.pk)
    verification = _proof(draft)
    entry = draft_entry_values(draft)
    found = draft.found
    renewed = draft.connection
    if renewed is not None and renewed.identity and renewed.identity != found["connected"]:
        raise OtherWorkspace(found["connected_name"], renewed.settings.get("workspace", ""))
    other = connected_as(draft.organization_id, draft.connector, found["connected"], renewed)
    if other is not None:
        raise AlreadyConnected(other)
    name = draft.name or found["connected_name"]
    check_name(draft.organization_id, name, renewed)
    connection = _connection(draft, name, actor)
    credential = _credential(connection, draft, entry, actor)
    Verification.objects.filter(pk=verification.pk).update(draft=None, credential=credential)
    draft.delete()
    return connection


@transaction.atomic
def discard_draft(*, draft: Draft, actor: Actor) -> None:
    """Forget a draft and its secret."""
    grant = draft.grant
    draft.delete()
    if grant is not None:
        erase_unused(grant)


def latest_verification(draft: Draft) -> Verification | None:
    """The last proof of a draft's secret, finished or not."""
    return Verification.objects.filter(draft=draft).order_by("-id").first()


def _proof(draft: Draft) -> Verification:
    verification = latest_verification(draft)
    if verification is None or verification.finished_at is None or not draft.found:
        raise NotVerified
    finding = judge_draft(draft, verification)
    if not finding.is_ok:
        raise NotVerified(finding.message)
    if draft.expires_at <= now() or not (draft.secrets or draft.grant):
        raise NotVerified("The secret was erased after 60 minutes. Enter it again.")
    return verification


def _connection(draft: Draft, name: str, actor: Actor) -> Connection:
    kind, moment = connector_of(draft.connector), now()
    connection = draft.connection or Connection(
        organization_id=draft.organization_id,
        connector=draft.connector,
        created_by=draft.by,
        created_by_name=actor.name or actor.email,
    )
    is_new = connection.pk is None
    connection.name, connection.identity = name, draft.found["connected"]
    connection.settings = {"workspace": draft.found["connected_name"]}
    selection = clean_selection(kind, draft.selection or {})
    if draft.left_out or selection["streams"]:
        selection["streams"] = list(draft_streams(kind, draft))
    connection.selection = selection
    connection.schedule = draft.schedule or connection.schedule
    if connection.status != Connection.Status.DISABLED:
        connection.status = Connection.Status.AVAILABLE
    connection.status_code = connection.status_message = ""
    connection.failures, connection.failing_since = 0, None
    connection.verified_at, connection.next_verification_at = moment, moment + DAILY
    connection.next_sync_at = next_run(connection.schedule, moment, draft.organization.timezone)
    connection.version += 0 if is_new else 1
    store_connection(connection)
    note("connections.created" if is_new else "connections.reconnected", connection, actor)
    return connection


def _credential(connection: Connection, draft: Draft, entry: Entry, actor: Actor) -> Credential:
    kind, found = connector_of(draft.connector), draft.found
    own = {field.name for field in kind.method(draft.method).settings}
    credential = _renewed(connection, draft) or Credential(
        connection=connection, organization_id=connection.organization_id, method=draft.method
    )
    is_new = credential.pk is None
    credential.grant = draft.grant
    credential.secrets = None if draft.grant is not None else dict(entry.secrets)
    credential.settings = {key: value for key, value in draft.settings.items() if key in own}
    credential.identity, credential.acts_as = found["acts_as"], found["acts_as_name"]
    credential.scopes, credential.missing_scopes = found["scopes"], []
    credential.secret_hash = secret_hash(entry)
    credential.quota_subject = kind.quota_subject(entry)
    credential.status, credential.status_message = Credential.Status.ACTIVE, ""
    credential.label = credential.label or default_label(kind, entry, found["acts_as_name"])
    credential.version += 0 if is_new else 1
    credential.save()
    event = "credentials.created" if is_new else "credentials.updated"
    note(event, credential, actor, {"method": draft.method, "secrets": "changed"})
    return credential


def _renewed(connection: Connection, draft: Draft) -> Credential | None:
    """The credential whose authorization the draft renews: of the same method and account."""
    if draft.grant is None or draft.connection is None:
        return None
    rows = connection.credentials.filter(method=draft.method, deleted_at=None)
    return rows.filter(identity=draft.grant.identity).first()


def _touch(draft: Draft, *, forget: bool = False) -> Draft:
    if forget:
        Verification.objects.filter(draft=draft).delete()
        draft.found, draft.repositories, draft.left_out = {}, [], []
    draft.expires_at = now() + KEPT
    draft.save()
    return draft


def _stream_required(kind: Any, key: str) -> bool:
    try:
        return bool(kind.stream(key).required)
    except LookupError:
        raise InvalidFields({"streams": f"There is no stream {key[:40]!r}."}) from None
