"""Authorizations of an organization: kept after a consent, ticked, revoked."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from connections.connectors.base import Reach, RefreshedTokens
from connections.connectors.schema import InvalidFields
from connections.dispatch import VERIFY_CREDENTIAL, send_on_commit
from connections.models import Consent, Credential, Draft, Grant
from connections.services.drafts import needed_workspace
from connections.services.errors import NotTheOwner, NotTicked
from connections.services.locks import hold
from connections.services.states import reconsider
from connections.services.trail import note, note_grant, slugs
from tenants.actor import Actor
from tenants.models import User


def keep_grant(
    *,
    consent: Consent,
    draft: Draft,
    tokens: RefreshedTokens,
    reach: Reach,
    by: Actor,
    requests: int = 0,
) -> Grant:
    """Store what a consent gave, in the caller's transaction.

    An account that consents again through the same consumer renews what it gave before, for all
    connections that use it; unless it leaves a workspace out that was ticked. For a connection
    its workspace is ticked: it is what the consent was asked for. Where nobody has said yet which
    that is, it is the only one, or to be ticked. `requests` is how many it
    took. Raises NotTicked.
    """
    reached = [vars(one) for one in reach.workspaces]
    needed = needed_workspace(draft, reached) if draft.connection is not None else None
    if draft.is_bound and needed is None:
        raise NotTicked(draft.place)
    grant = _given_before(consent, draft, reach) or Grant(
        organization_id=consent.organization_id,
        connector=draft.connector,
        consumer=consent.consumer,
        identity=reach.account,
    )
    is_new = grant.pk is None
    ticked = _ticked_before(grant) | ({needed["id"]} if needed else set())
    grant.reaches = reached
    grant.workspaces = [one for one in reached if one["id"] in ticked]
    _fill(grant, tokens, reach, consent)
    grant.save()
    _verify_what_stood_still(grant)
    note_grant("grants.created" if is_new else "grants.renewed", grant, by, requests=requests)
    return grant


@transaction.atomic
def tick(*, grant: Grant, workspaces: Collection[str], user: User, by: Actor) -> Grant:
    """Say for which of its workspaces, by id or slug, an authorization may be used.

    Only who gave it may. Raises NotTheOwner, and InvalidFields where one is not among those that
    the account reaches, none is ticked, or one would be taken from a connection that uses it.
    """
    row: Grant = Grant.objects.select_for_update().get(pk=grant.pk)
    if row.made_by_id != user.pk:
        raise NotTheOwner(owner_of(row))
    wanted = set(workspaces)
    chosen = [one for one in row.reaches if wanted & {one["id"], one["slug"]}]
    if not chosen or len(chosen) < len(wanted):
        raise InvalidFields({"workspaces": "Tick one or more of these workspaces."})
    _check_unticked(row, {one["id"] for one in chosen})
    before, row.workspaces = row.workspaces, chosen
    row.save(update_fields=["workspaces"])
    grant.workspaces = chosen
    if before != chosen:
        note("grants.ticked", row, by, {"workspaces": [slugs(before), slugs(chosen)]})
    return row


def tick_for_link(*, draft: Draft, workspace: str, by: Actor) -> None:
    """The same by the holder of a connect link, who gave it just now, for this one workspace.

    In the caller's transaction. Raises InvalidFields.
    """
    rows = Grant.objects.select_for_update()
    grant = rows.filter(pk=draft.grant_id or 0).first() if draft.link_id is not None else None
    offered = grant.reaches if grant is not None else []
    chosen = [one for one in offered if workspace in {one["id"], one["slug"]}]
    if grant is None or not chosen:
        raise InvalidFields({"workspace": "Choose one of these workspaces."})
    before, known = grant.workspaces, {one["id"] for one in grant.workspaces}
    grant.workspaces = [*before, *(one for one in chosen if one["id"] not in known)]
    grant.save(update_fields=["workspaces"])
    draft.grant = grant
    if before != grant.workspaces:
        note("grants.ticked", grant, by, {"workspaces": [slugs(before), slugs(grant.workspaces)]})


@transaction.atomic
def revoke_grant(*, grant: Grant, by: Actor) -> list[str]:
    """Erase an authorization here. The connections that used it need a person then: their names.

    At Bitbucket its owner withdraws it: there is no way to do that for somebody else.
    """
    credentials = list(_users(grant).order_by("connection_id", "pk"))
    for pk in dict.fromkeys(row.connection_id for row in credentials):
        hold(pk)
    Grant.objects.filter(pk=grant.pk).update(
        secrets=None, ended_at=now(), refresh_owner=None, refresh_until=None
    )
    message = f"{by.full_name} revoked the authorization here. Authorize again."
    names = []
    for row in credentials:
        Credential.objects.filter(pk=row.pk, disabled_at=None).update(
            status=Credential.Status.INVALID, status_message=message
        )
        reconsider(row.connection, because=("consent_revoked", message))
        names.append(row.connection.name)
    told = {"connections": names} if names else {"workspaces": slugs(grant.workspaces)}
    note("grants.revoked", grant, by, told)
    return names


def owner_of(grant: Grant) -> str:
    """Who gave it: a member's name, else the account's at the provider."""
    return str(grant.made_by) if grant.made_by is not None else grant.identity_name


def _given_before(consent: Consent, draft: Draft, reach: Reach) -> Grant | None:
    if not reach.account:
        return None
    rows = Grant.objects.select_for_update().filter(
        organization_id=consent.organization_id,
        connector=draft.connector,
        consumer=consent.consumer,
        identity=reach.account,
    )
    reached = {one.id for one in reach.workspaces}
    fitting = (row for row in rows if {one["id"] for one in row.workspaces} <= reached)
    return next(fitting, None)


def _ticked_before(grant: Grant) -> set[str]:
    """What stays ticked: of one that was erased, only what connections wait for."""
    if grant.secrets:
        return {one["id"] for one in grant.workspaces}
    return {row.connection.identity for row in _users(grant)}


def _fill(grant: Grant, tokens: RefreshedTokens, reach: Reach, consent: Consent) -> None:
    grant.identity_name = reach.account_name
    grant.made_by_id = consent.user_id or grant.made_by_id
    grant.scopes = list(tokens.scopes)
    grant.secrets = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
    }
    grant.expires_at = tokens.expires_at
    grant.ended_at = grant.unused_since = None
    grant.refresh_owner = grant.refresh_until = None  # who renews the old pair, renews in vain


def _verify_what_stood_still(grant: Grant) -> None:
    """Other connections that waited for a new authorization of this account have it now."""
    for row in _users(grant).filter(status=Credential.Status.INVALID, disabled_at=None):
        send_on_commit(VERIFY_CREDENTIAL, row.organization_id, row.pk)


def _check_unticked(grant: Grant, chosen: set[str]) -> None:
    for row in _users(grant):
        if row.connection.identity and row.connection.identity not in chosen:
            slug = row.connection.place
            told = f"“{row.connection.name}” uses it for {slug}: leave that one ticked."
            raise InvalidFields({"workspaces": told})


def _users(grant: Grant) -> QuerySet[Credential]:
    rows: QuerySet[Credential] = Credential.objects.filter(
        grant_id=grant.pk or 0, deleted_at=None, connection__deleted_at=None
    )
    return rows.select_related("connection")
