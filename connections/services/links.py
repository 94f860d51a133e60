"""One-time links: somebody outside the organization finishes or renews a connection."""

import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.findings import Finding
from connections.models import Connection, ConnectLink, Draft, open_links
from connections.services.creating import create_connection
from connections.services.drafts import fill_draft, finish_draft, start_draft
from connections.services.errors import (
    AlreadyConnected,
    AlreadyFinished,
    ConnectionDeleted,
    LinkEnded,
    LinksTooMany,
    NameTaken,
    TriesTooMany,
)
from connections.services.grants import erase_unused
from connections.services.locks import hold
from connections.services.verification import begin_draft_verification, judge_draft, verify_draft
from tenants.actor import Actor
from tenants.models import Organization, User
from tenants.secrets import keyed_hash
from tenants.services import audit

LASTS = timedelta(days=7)
AN_HOUR = 60  # links that an organization may make
TRIES, TRIES_IN = 20, 600  # secrets and consents that a link takes in so many seconds


@transaction.atomic
def make_link(
    *, connection: Connection, by: Actor, user: User | None = None
) -> tuple[ConnectLink, str]:
    """Make a link to enter this connection. Gives the row and the token, which is not kept.

    `user` is named as the one who asks, else `by`. Raises ConnectionDeleted, LinksTooMany.
    """
    row = hold(connection.pk)
    if row.deleted_at is not None:
        raise ConnectionDeleted
    made = ConnectLink.objects.filter(
        organization_id=row.organization_id, created_at__gt=now() - timedelta(hours=1)
    )
    if made.count() >= AN_HOUR:
        raise LinksTooMany(retry_after=3600)
    token = secrets.token_urlsafe(32)
    link = ConnectLink.objects.create(
        connection=row,
        organization_id=row.organization_id,
        token_hash=token_hash(token),
        asked_by=user,
        asked_by_name=(by.full_name or "Somebody")[:150],
        expires_at=now() + LASTS,
    )
    _note("links.created", link, by)
    return link, token


def token_hash(token: str) -> str:
    """What is kept of a link."""
    return keyed_hash("connect.link", token)


@transaction.atomic
def revoke_link(*, link: ConnectLink, by: Actor) -> None:
    """End a link that nobody used yet. Raises LinkEnded."""
    rows = ConnectLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None)
    if not rows.update(revoked_at=now()):
        raise LinkEnded("This link was used or revoked already.")
    Draft.objects.filter(link=link).delete()
    _note("links.revoked", link, by)


@transaction.atomic
def ask_administrator(
    *, organization: Organization, connector: str, workspace: str, by: Actor, user: User
) -> tuple[ConnectLink, str]:
    """A pending connection to this workspace, and a link for whoever administers it."""
    place = {connector_of(connector).place: workspace}
    pending = Connection.objects.filter(
        organization=organization,
        connector=connector,
        status=Connection.Status.PENDING,
        settings=place,
        deleted_at=None,
    ).first()
    connection = pending or _begun(organization, connector, workspace, by, user)
    return make_link(connection=connection, by=by, user=user)


def why_closed(link: ConnectLink | None) -> str:
    """Why a link lets nobody in; empty for one that does."""
    if link is None:
        return "There is no such link. It may have been cut off on its way: copy all of it."
    connection = link.connection
    if link.used_at is not None:
        return "This link was used already. It works once."
    if link.revoked_at is not None or connection.deleted_at is not None:
        return "This link was withdrawn."
    if link.expires_at <= now():
        return "This link is too old. It works for seven days."
    if connection.finished_at is not None and connection.finished_at > link.created_at:
        return AlreadyFinished(connection).message
    return ""


def draft_of_link(link: ConnectLink) -> Draft:
    """What the holder of a link has entered so far; begun where there is nothing yet."""
    found: Draft | None = Draft.objects.filter(link=link).select_related("connection").first()
    return found or start_draft(
        organization=link.organization,
        connector=link.connection.connector,
        by=None,
        actor=Actor.system(),
        connection=link.connection,
        link=link,
    )


def enter(
    *, link: ConnectLink, method: str, settings: Mapping[str, str], secrets: Mapping[str, str]
) -> Finding:
    """Verify what the holder of a link typed; if it works the link is spent and it is stored.

    Makes requests: never call it in a transaction. Raises InvalidFields, UnknownMethodGiven,
    LinkEnded, TriesTooMany, VerificationsTooMany, OtherWorkspace, AlreadyConnected.
    """
    count_try(link)
    draft = draft_of_link(link)
    known = str(link.connection.settings.get("workspace", ""))
    own = {"workspace": known} if known else {}
    fill_draft(
        draft=draft,
        method=method,
        settings={**settings, **own},
        secrets=secrets,
        actor=actor_of(link),
    )
    return prove_and_spend(link, draft)


def prove_and_spend(link: ConnectLink, draft: Draft) -> Finding:
    """Run the checks of a link's draft now; where they pass, finish it and spend the link.

    Of what does not do nothing is kept.
    """
    verification = verify_draft(begin_draft_verification(draft=draft, send=False))
    draft.refresh_from_db()
    finding = judge_draft(draft, verification)
    if finding.is_ok:
        spend(link, draft)
    else:
        Draft.objects.filter(pk=draft.pk).update(secrets=None, grant=None)
        erase_unused(draft.grant_id)
    return finding


@transaction.atomic
def spend(link: ConnectLink, draft: Draft) -> Connection:
    """Let the draft take over, once. Raises LinkEnded, and what finish_draft raises."""
    if hold(link.connection_id).deleted_at is not None:  # a member restores it, nobody else
        raise LinkEnded(ENDED)
    name = str(draft.found.get("acts_as_name") or "")[:150]
    try:
        connection = finish_draft(draft=draft, actor=actor_of(link))
    except (Draft.DoesNotExist, AlreadyFinished) as error:
        raise LinkEnded(str(error) or ENDED) from error
    except AlreadyConnected as error:  # by which name is no business of the holder's
        raise LinkEnded("This workspace is connected already.") from error
    if not open_links().filter(pk=link.pk).update(used_at=now(), used_by_name=name):
        raise LinkEnded(ENDED)
    Connection.objects.filter(pk=connection.pk, finished_by_name=actor_of(link).name).update(
        finished_by_name=f"{name or 'Somebody'} (by a connect link)"
    )
    _note("links.used", link, actor_of(link))
    return connection


ENDED = "This link was used, revoked, or is too old. Ask for another."


def actor_of(link: ConnectLink) -> Actor:
    """Whoever holds a link, acting."""
    return Actor(type="link", id=link.pk, name=f"Connect link of {link.asked_by_name}"[:150])


def count_try(link: ConnectLink) -> None:
    """Count one more try of this link. Raises TriesTooMany."""
    key = f"connect-link:{link.pk}"
    cache.add(key, 0, TRIES_IN)
    try:
        count = cache.incr(key)
    except ValueError:
        count = 1  # it ran out between the two statements
    if count > TRIES:
        raise TriesTooMany(retry_after=TRIES_IN)


def _begun(
    organization: Organization, connector: str, workspace: str, by: Actor, user: User
) -> Connection:
    """A pending connection, called as the workspace or with a number behind it."""
    for number in range(1, 100):
        name = workspace if number == 1 else f"{workspace} {number}"
        try:
            made = create_connection(
                organization=organization,
                connector=connector,
                name=name,
                settings={connector_of(connector).place: workspace},
                by=by,
                user=user,
            ).connection
        except NameTaken:
            continue
        if made is not None:
            return made
    raise NameTaken(workspace)


def _note(event: str, link: ConnectLink, by: Actor) -> None:
    audit.record(
        organization=link.organization_id,
        event_type=event,
        by=by,
        target={"type": "link", "id": link.pk, "name": link.connection.name},
    )
