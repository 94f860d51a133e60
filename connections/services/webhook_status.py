"""How the webhooks of a connection stand, as far as we know without asking."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connections.connectors.webhooks import HookPlace
from connections.models import Connection, WebhookSecret, WebhookSubscription
from connections.models.webhook import webhook_url
from connections.services.hook_places import (
    Scope,
    State,
    chosen_places,
    places_left,
    wanted_events,
    webhook_rows,
    webhooks_of,
)
from connections.services.webhook_secrets import current_secret

COMMANDS = 10  # repositories for which a command is shown


class Standing(StrEnum):
    """What can be said of all webhooks of a connection together."""

    OFF = "off"  # none are wanted
    REMOVING = "removing"  # none are wanted, and some are still there
    BY_HAND = "by_hand"  # no credential could make one: a person can
    BROKEN = "broken"  # one is gone, switched off or lacks events
    INCOMPLETE = "incomplete"  # some repositories have none
    ACTIVE = "active"


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One webhook, and the events that it should hear of and does not."""

    row: WebhookSubscription
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a person may run who has the rights: it takes the secret out of $SECRET."""

    place: HookPlace
    text: str

    @property
    def scope(self) -> str:
        return str(Scope.REPOSITORY if self.place.repository else Scope.WORKSPACE)


@dataclass(frozen=True, kw_only=True)
class Status:
    """How they stand. `left` are the repositories that have none, where the workspace has none;
    `commands` are for what no credential has made.
    """

    standing: Standing
    url: str
    events: tuple[str, ...]
    hooks: list[Hook]
    left: list[HookPlace]
    commands: list[Command]
    secret_made_at: datetime | None
    old_secret_until: datetime | None


def status_of(connection: Connection) -> Status:
    """How the webhooks of a connection stand. Asks nobody but the database. Raises NoWebhooks."""
    events = wanted_events(connection)
    rows = list(webhook_rows(connection))
    secret = current_secret(connection)
    has_workspace = any(row.scope == Scope.WORKSPACE for row in rows)
    left = places_left(connection, secret) if secret and not has_workspace else []
    old = WebhookSecret.objects.filter(connection=connection, valid_until__isnull=False)
    return Status(
        standing=_standing(secret, rows, left, events),
        url=webhook_url(connection),
        events=events,
        hooks=[Hook(row=row, missing=_missing(row, events)) for row in rows],
        left=left,
        commands=_commands(connection, left, events) if left or (secret and not rows) else [],
        secret_made_at=secret.created_at if secret else None,
        old_secret_until=old.order_by("-valid_until").values_list("valid_until", flat=True).first(),
    )


def _standing(
    secret: WebhookSecret | None,
    rows: list[WebhookSubscription],
    left: list[HookPlace],
    events: tuple[str, ...],
) -> Standing:
    if secret is None:
        return Standing.REMOVING if rows else Standing.OFF
    if not rows:
        return Standing.BY_HAND
    if any(row.state != State.ACTIVE or _missing(row, events) for row in rows):
        return Standing.BROKEN
    return Standing.INCOMPLETE if left else Standing.ACTIVE


def _missing(row: WebhookSubscription, events: tuple[str, ...]) -> tuple[str, ...]:
    """What it should hear of, and does not; of one that is gone that is everything."""
    heard = [] if row.state == State.GONE else row.events
    return tuple(event for event in events if event not in heard)


def _commands(
    connection: Connection, left: list[HookPlace], events: tuple[str, ...]
) -> list[Command]:
    """That for the workspace, then those for repositories, by names that people know."""
    if not connection.place:
        return []
    places = [HookPlace(workspace=connection.place, name=connection.place)]
    places += [
        HookPlace(workspace=connection.place, repository=one.repository, name=one.name)
        for one in (left or chosen_places(connection))[:COMMANDS]
    ]
    make, url = webhooks_of(connection).command, webhook_url(connection)
    return [Command(place=place, text=make(place, url, events)) for place in places]
