"""What the wizard knows between its steps. Only its author sees it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import Connector, Method, UnknownMethod
from connections.connectors.schema import InvalidFields, clean
from connections.models import Connection, ConnectLink, Draft, Grant, Verification
from connections.services.entering import read_given
from connections.services.errors import NotTicked, NotVerified, ParentRequired, UnknownMethodGiven
from connections.services.finishing import finish_draft
from connections.services.grants import erase_unticked
from connections.services.schedules import clean_schedule
from connections.services.selections import clean_selection
from connections.services.verification import judge_draft, latest_verification
from tenants.actor import Actor
from tenants.models import Organization, User

__all__ = (
    "NotVerified",
    "choose",
    "choose_workspace",
    "discard_draft",
    "fill_draft",
    "finish_draft",
    "keep_unfinished",
    "leave_out",
    "needed_workspace",
    "start_draft",
    "use_grant",
)
KEPT = timedelta(minutes=60)  # after its last touch a draft forgets its secret


def start_draft(
    *,
    organization: Organization,
    connector: str,
    by: User | None,
    actor: Actor,
    connection: Connection | None = None,
    link: ConnectLink | None = None,
    parent: Connection | None = None,
) -> Draft:
    """Begin to connect, beneath `parent` where there is one; or to finish or renew `connection`.

    Its author is a member, or whoever holds the connect link. Raises UnknownConnector,
    ParentRequired.
    """
    kind = connector_of(connector)
    parent = connection.parent if connection else parent
    if kind.requires_parent and parent is None:
        raise ParentRequired(connector_of(kind.requires_parent).label)
    return Draft.objects.create(
        organization=organization,
        connector=kind.key,
        connection=connection,
        name=connection.name if connection else "",
        parent=parent,
        settings=dict(connection.settings) if connection else {},
        selection=dict(connection.selection) if connection else {},
        schedule=dict(connection.schedule) if connection else {},
        by=by,
        link=link,
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

    For an authorization there is nothing to type but the workspace, out of those that it was given
    for. What was verified before is forgotten. Raises InvalidFields, UnknownMethodGiven.
    """
    kind = connector_of(draft.connector)
    if _method_of(kind, method).by_consent:
        return _fill_for_consent(draft, method, settings, actor)
    kept = draft.secrets if draft.method == method and draft.expires_at > now() else None
    own = {field.name for field in kind.settings}
    told = draft.at(draft.parent.identity) if draft.parent else {}
    connected = {key: value for key, value in settings.items() if key in own}
    others = {key: value for key, value in settings.items() if key not in {*own, *told}}
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
    draft.method, draft.settings = given.method.key, {**cleaned, **told, **given.settings}
    draft.secrets = given.secrets
    draft.name = name or draft.name or _name_beneath(draft)
    return _exchange_grant(draft, None)


def keep_unfinished(
    *,
    draft: Draft,
    method: str,
    settings: Mapping[str, str],
    secret: str,
    found: Mapping[str, Any],
) -> Draft:
    """Keep a secret while something beside it is still asked for; `found` says what."""
    kind = connector_of(draft.connector)
    field = kind.method(method).secrets[0]
    draft.method, draft.settings = method, dict(settings)
    draft.secrets = clean([field], {field.name: secret}, below="secrets")
    _exchange_grant(draft, None)
    draft.found = dict(found)
    draft.save()
    return draft


def _name_beneath(draft: Draft) -> str:
    """What a connection beneath another is called, unless somebody says otherwise."""
    if draft.parent is None:
        return ""
    return f"{draft.parent.name[:80]} ({connector_of(draft.connector).label})"[:100]


def _fill_for_consent(
    draft: Draft, method: str, settings: Mapping[str, str], actor: Actor
) -> Draft:
    workspace = connector_of(draft.connector).place_in(settings)
    if draft.grant is not None and not draft.is_bound and workspace:
        return choose_workspace(draft=draft, workspace=workspace, actor=actor)
    draft.method, draft.secrets = method, None
    return _touch(draft, forget=True)


def _method_of(kind: Connector, key: str) -> Method:
    try:
        return kind.method(key)
    except UnknownMethod as error:
        raise UnknownMethodGiven(str(error)) from None


@transaction.atomic
def use_grant(*, draft: Draft, grant: Grant, actor: Actor) -> Draft:
    """Go on with an authorization of the same organization instead of a secret.

    Raises UnknownMethodGiven, and NotTicked where it leaves out the workspace of a connection.
    """
    method = connector_of(draft.connector).consent_method
    is_other = (grant.organization_id, grant.connector) != (draft.organization_id, draft.connector)
    if method is None or is_other or grant.ended_at is not None or not grant.secrets:
        raise UnknownMethodGiven("This authorization does not hold any more.")
    ticked = grant.workspaces
    chosen = ticked[0] if len(ticked) == 1 else None
    if draft.is_bound:
        chosen = needed_workspace(draft, ticked)
        if chosen is None:
            raise NotTicked(draft.place)
    draft.method, draft.secrets = method.key, None
    # What was typed before does not count: it need not be among those that are ticked.
    draft.settings = draft.at(chosen["slug"]) if chosen else {}
    return _exchange_grant(draft, grant)


def needed_workspace(
    draft: Draft, offered: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """That one of these workspaces which the draft's connection is to; where nobody has said yet
    which that is, the only one.
    """
    connection = draft.connection
    expected = (connection.identity or connection.place).lower() if connection is not None else ""
    if not expected:
        return offered[0] if len(offered) == 1 else None
    fitting = (one for one in offered if expected in {one["id"].lower(), one["slug"].lower()})
    return next(fitting, None)


@transaction.atomic
def choose_workspace(*, draft: Draft, workspace: str, actor: Actor) -> Draft:
    """Choose among the workspaces that the authorization was given for, by id or slug.

    Raises InvalidFields for any other.
    """
    offered = draft.grant.workspaces if draft.grant is not None else []
    for one in offered:
        if workspace in {one["id"], one["slug"]}:
            draft.settings = draft.at(one["slug"])
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
        draft.schedule = clean_schedule(schedule, kind)
    draft.name = name.strip() or draft.name
    return _touch(draft)


@transaction.atomic
def discard_draft(*, draft: Draft, actor: Actor) -> None:
    """Forget a draft and its secret."""
    draft.delete()
    erase_unticked(draft.grant_id)


def _exchange_grant(draft: Draft, grant: Grant | None) -> Draft:
    """Store the draft with this authorization, and forget the one that it held before."""
    before, draft.grant = draft.grant_id, grant
    _touch(draft, forget=True)
    erase_unticked(before)
    return draft


def _touch(draft: Draft, *, forget: bool = False) -> Draft:
    if forget:
        Verification.objects.filter(draft=draft).delete()
        draft.found, draft.repositories, draft.left_out = {}, [], []
    draft.expires_at = now() + KEPT
    draft.save()
    return draft


def _stream_required(kind: Connector, key: str) -> bool:
    try:
        return bool(kind.stream(key).required)
    except LookupError:
        raise InvalidFields({"streams": f"There is no stream {key[:40]!r}."}) from None
