"""Turns a verified draft into connection, credential and selection, all at once."""

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import Entry, Identity
from connections.models import Connection, Credential, Draft, Grant, Verification
from connections.services.entries import draft_entry_values, secret_hash
from connections.services.errors import (
    AlreadyConnected,
    AlreadyFinished,
    ConnectionDeleted,
    NotTicked,
    NotVerified,
    OtherWorkspace,
)
from connections.services.grants import erase_unused
from connections.services.locks import hold
from connections.services.parents import check_parent, take_over
from connections.services.proving import with_uuids
from connections.services.rows import (
    check_name,
    connected_as,
    free_name,
    label_of,
    store_connection,
)
from connections.services.schedules import next_run
from connections.services.selections import clean_selection
from connections.services.states import DAILY
from connections.services.trail import note
from connections.services.verification import (
    draft_streams,
    judge_draft,
    latest_verification,
    seen,
)
from tenants.actor import Actor


@transaction.atomic
def finish_draft(*, draft: Draft, actor: Actor) -> Connection:
    """Turn a verified draft into connection, credential and selection; the draft is gone then.

    Where the draft finishes or renews a connection, that one gets the credential; one that is
    renewed keeps name, selection and schedule. Raises NotVerified, NameTaken, AlreadyConnected,
    AlreadyFinished, ParentRequired, OtherWorkspace, NotTicked, and Draft.DoesNotExist where it was
    finished already.
    """
    parent = hold(draft.parent_id) if draft.parent_id else None
    renewed = hold(draft.connection_id) if draft.connection_id else None
    if renewed is not None and renewed.deleted_at is not None and not renewed.is_restorable:
        raise ConnectionDeleted
    draft = Draft.objects.select_for_update().get(pk=draft.pk)
    draft.connection = renewed
    if renewed is not None and renewed.finished_at and renewed.finished_at > draft.created_at:
        raise AlreadyFinished(renewed)
    verification = _proof(draft)
    entry = draft_entry_values(draft)
    found = draft.found
    _check_ticked(draft)
    if renewed is not None and renewed.identity and renewed.identity != found["connected"]:
        raise OtherWorkspace(found["connected_name"], renewed.place)
    other = connected_as(draft.organization_id, draft.connector, found["connected"], renewed)
    if other is not None:
        raise AlreadyConnected(other)
    begins = renewed is None or not renewed.identity or renewed.deleted_at is not None
    if begins:
        check_parent(parent, found["connected"])
    connection = _connection(draft, actor)
    if begins:
        take_over(connection, parent, actor)
    credential = _credential(connection, draft, entry, actor)
    Verification.objects.filter(pk=verification.pk).update(draft=None, credential=credential)
    draft.delete()
    return connection


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


def _check_ticked(draft: Draft) -> None:
    """The authorization must still be given for what was proved with it. Raises NotTicked."""
    if draft.grant_id is None:
        return
    grant = Grant.objects.select_for_update(no_key=True).get(pk=draft.grant_id)
    if not grant.secrets or not grant.is_ticked(draft.found["connected"]):
        raise NotTicked(draft.found["connected_name"])


def _connection(draft: Draft, actor: Actor) -> Connection:
    moment = now()
    connection = draft.connection or Connection(
        organization_id=draft.organization_id,
        connector=draft.connector,
        parent_id=draft.parent_id,
        created_by=draft.by,
        created_by_name=actor.full_name,
    )
    is_new = connection.pk is None
    is_first = not connection.identity
    if is_first:
        connection.finished_at, connection.finished_by_name = moment, actor.full_name
    if is_first:
        _choices(connection, draft)
    is_restored = connection.deleted_at is not None
    if is_restored:
        connection.deleted_at, connection.name = None, free_name(connection)
        connection.parent_id = draft.parent_id
        connection.status = Connection.Status.AVAILABLE
    connection.identity = draft.found["connected"]
    connection.settings = draft.at(draft.found["connected_name"])
    if connection.status != Connection.Status.DISABLED:
        connection.status = Connection.Status.AVAILABLE
    connection.status_code = connection.status_message = ""
    connection.failures, connection.failing_since = 0, None
    connection.verified_at, connection.next_verification_at = moment, moment + DAILY
    connection.next_sync_at = next_run(connection.schedule, moment, draft.organization.timezone)
    connection.version += 0 if is_new else 1
    store_connection(connection)
    what = "connections.restored" if is_restored else _event(is_new, is_first)
    note(what, connection, actor)
    return connection


def _event(is_new: bool, is_first: bool) -> str:
    if is_new:
        return "connections.created"
    return "connections.finished" if is_first else "connections.reconnected"


def _choices(connection: Connection, draft: Draft) -> None:
    """What the wizard asked for beside the secret. Raises NameTaken."""
    kind = connector_of(draft.connector)
    connection.name = draft.name or draft.found["connected_name"]
    check_name(draft.organization_id, connection.name, connection)
    connection.selection = clean_selection(kind, draft.selection or {})
    if draft.left_out or connection.selection["streams"]:
        connection.selection["streams"] = list(draft_streams(kind, draft))
    connection.schedule = draft.schedule or connection.schedule


def _credential(connection: Connection, draft: Draft, entry: Entry, actor: Actor) -> Credential:
    kind, found = connector_of(draft.connector), draft.found
    own = {field.name for field in kind.method(draft.method).settings}
    credential = _renewed(connection, draft) or Credential(
        connection=connection, organization_id=connection.organization_id, method=draft.method
    )
    is_new = credential.pk is None
    before, credential.grant = credential.grant_id, draft.grant
    credential.secrets = None if draft.grant is not None else dict(entry.secrets)
    typed = {key: value for key, value in draft.settings.items() if key in own}
    credential.settings = with_uuids(typed, [seen(row) for row in draft.repositories])
    credential.identity, credential.acts_as = found["acts_as"], found["acts_as_name"]
    credential.kind, credential.sees = found.get("kind", ""), found.get("sees")
    credential.scopes, credential.missing_scopes = found["scopes"], []
    credential.secret_hash = secret_hash(entry)
    credential.quota_subject = found["quota_subject"]
    credential.status, credential.status_message = Credential.Status.ACTIVE, ""
    credential.label = credential.label or label_of(kind, entry, Identity(**found))
    credential.version += 0 if is_new else 1
    credential.save()
    erase_unused(before)
    event = "credentials.created" if is_new else "credentials.updated"
    note(event, credential, actor, {"method": draft.method, "secrets": "changed"})
    return credential


def _renewed(connection: Connection, draft: Draft) -> Credential | None:
    """The credential that the draft renews: of the same method, and of the same account.

    What comes by a connect link takes the place of a token that does not work any more.
    """
    rows = connection.credentials.filter(method=draft.method, deleted_at=None, disabled_at=None)
    if draft.grant is not None:
        return rows.filter(identity=draft.grant.identity).first()
    over = (Credential.Status.INVALID, Credential.Status.EXPIRED)
    return rows.filter(status__in=over).first() if draft.link_id is not None else None
