"""The secret of a connection's webhooks: ours to give, shown once when it is made or rotated."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from connections.models import Connection, WebhookSecret
from connections.services.errors import ConnectionDeleted
from connections.services.locks import hold
from tenants.secrets import Secrets

OVERLAP = timedelta(hours=24)  # in which a delivery may still be signed with the one before
MOST_BEFORE = 3  # that are believed beside the current one, however often it is rotated


def current_secret(connection: Connection) -> WebhookSecret | None:
    """The secret that the webhooks of a connection are to sign with."""
    rows = WebhookSecret.objects.filter(connection=connection, valid_until=None)
    found: WebhookSecret | None = rows.filter(secrets__isnull=False).first()
    return found


@transaction.atomic
def make_secret(connection: Connection) -> WebhookSecret:
    """Make a new secret for the webhooks of a connection; the ones before sign for a day more, a
    few of them, since each is tried with every delivery.

    Raises ConnectionDeleted.
    """
    row = hold(connection.pk)
    if row.deleted_at is not None:
        raise ConnectionDeleted
    rows = WebhookSecret.objects.filter(connection=row)
    rows.filter(valid_until__lt=Now()).delete()
    rows.filter(valid_until=None).update(valid_until=Now() + OVERLAP)
    surplus = rows.order_by("-valid_until", "-pk").values_list("pk", flat=True)[MOST_BEFORE:]
    rows.filter(pk__in=list(surplus)).delete()
    made: WebhookSecret = WebhookSecret.objects.create(
        connection=row, secrets=Secrets(secret=secrets.token_urlsafe(32))
    )
    return made


def plain(secret: WebhookSecret) -> str:
    """What it is."""
    return dict(secret.secrets or {})["secret"]


def forget_secrets(connection: Connection) -> None:
    """From now on no delivery of this connection is believed."""
    WebhookSecret.objects.filter(connection=connection).delete()
