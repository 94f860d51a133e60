"""One-time links: somebody outside the organization finishes or renews a connection."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.models import Connection, ConnectLink, Draft
from connections.services.creating import create_connection
from connections.services.errors import (
    AlreadyFinished,
    ConnectionDeleted,
    LinkEnded,
    LinksTooMany,
    NameTaken,
)
from connections.services.locks import hold
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
