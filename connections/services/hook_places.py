"""Where webhooks of a connection are kept, and what they are to tell."""

from collections.abc import Mapping

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from connections.connectors import connector as connector_of
from connections.connectors.webhooks import HookPlace, Webhooks
from connections.models import Connection, WebhookSecret, WebhookSubscription
from connections.services.errors import NoWebhooks
from connections.services.selections import wanted_streams

Scope, State = WebhookSubscription.Scope, WebhookSubscription.State


def webhooks_of(connection: Connection) -> Webhooks:
    """How webhooks of this connection are changed. Raises NoWebhooks."""
    kind = connector_of(connection.connector)
    if kind.webhooks is None:
        raise NoWebhooks(kind.label)
    return kind.webhooks


def webhook_rows(connection: Connection) -> QuerySet[WebhookSubscription]:
    """The webhooks that we made, as far as we know."""
    rows: QuerySet[WebhookSubscription] = WebhookSubscription.objects.filter(connection=connection)
    return rows.select_related("connection")


def wanted_events(connection: Connection) -> tuple[str, ...]:
    """The events of everything that is copied, by this connection or one beneath it."""
    kind = connector_of(connection.connector)
    return webhooks_of(connection).events(wanted_streams(kind, connection.selection))


def chosen_places(connection: Connection) -> list[HookPlace]:
    """The repositories that are copied, by name. They are known to the app above."""
    chosen: Mapping[str, str] = import_string(settings.CHOSEN_REPOSITORIES)(connection)
    return [
        HookPlace(workspace=connection.identity, repository=uuid, name=name)
        for uuid, name in chosen.items()
    ]


def places_left(connection: Connection, secret: WebhookSecret) -> list[HookPlace]:
    """The repositories whose webhook is not there, or has another secret."""
    fine = webhook_rows(connection).filter(secret=secret, state=State.ACTIVE)
    settled = set(fine.values_list("subject", flat=True))
    return [one for one in chosen_places(connection) if one.id not in settled]


def whole_workspace(connection: Connection) -> HookPlace:
    """The place of the one webhook that hears of everything."""
    return HookPlace(workspace=connection.identity, name=connection.place)


def place_of(row: WebhookSubscription, connection: Connection) -> HookPlace:
    """Where a webhook is kept."""
    if row.scope == Scope.WORKSPACE:
        return whole_workspace(connection)
    return HookPlace(workspace=connection.identity, repository=row.subject, name=row.name)
