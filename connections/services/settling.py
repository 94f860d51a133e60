"""Makes webhooks at the provider what they are to be, one place after the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.timezone import now

from connections.connectors.webhooks import HookPlace, RemoteHook, WantedHook, Webhooks
from connections.models import Connection, WebhookSecret, WebhookSubscription
from connections.models.webhook import webhook_url
from connections.services.hands import ANOTHER_MAY, Hands
from connections.services.hook_places import (
    Scope,
    State,
    chosen_places,
    place_of,
    places_left,
    wanted_events,
    webhook_rows,
)
from connections.services.locks import hold
from connections.services.trail import note
from connections.services.webhook_secrets import plain
from connections.transport.errors import NotFound, ProviderError
from connections.transport.http import Transport
from tenants.actor import Actor


@dataclass
class Done:
    """What was done at the provider, by the names of places; `problem` is why not more."""

    created: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # still to be made, or to be removed
    problem: ProviderError | None = None
    secret: str = field(default="", repr=False)  # only where it was made just now

    def told(self) -> dict[str, list[str]]:
        """For the audit trail."""
        names = ("created", "mended", "removed", "left")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


class Settler:
    """Makes or mends webhooks of one connection, and keeps the rows."""

    def __init__(
        self, connection: Connection, hands: Hands, secret: WebhookSecret, done: Done
    ) -> None:
        self.connection, self.hands, self.done = connection, hands, done
        self._secret = secret
        events = wanted_events(connection)
        url = webhook_url(connection)
        self._wanted = WantedHook(url=url, events=events, secret=plain(secret))

    def settle_repositories(self, most: int, *, again: bool) -> None:
        """Those of the chosen repositories, as far as it goes, and of none that is not chosen;
        with `again` also those that should be fine.
        """
        chosen = chosen_places(self.connection)
        if chosen:
            surplus = webhook_rows(self.connection).exclude(subject__in=[one.id for one in chosen])
            drop(self.hands, surplus[:most], self.done)
        left = places_left(self.connection, self._secret)
        others = [one for one in chosen if one not in left] if again else []
        refused = self._settle_all([*left, *others][:most])
        left = places_left(self.connection, self._secret)
        self.done.left = [one.name for one in left]
        if refused is not None or not chosen:
            self.done.problem = refused or self.done.problem
        else:
            self.done.problem = None  # that of the workspace is not needed

    def _settle_all(self, places: Iterable[HookPlace]) -> ProviderError | None:
        """What stood in the way, where something did."""
        refused: ProviderError | None = None
        for place in places:
            try:
                self.settle(place)
            except ProviderError as error:
                refused = error
                if not (isinstance(error, ANOTHER_MAY) and self.hands.can_go_on):
                    break
        return refused

    def settle(self, place: HookPlace) -> None:
        """Make or mend the webhook of one place. Raises ProviderError."""
        known = (
            webhook_rows(self.connection).filter(subject=place.id).values_list("uuid", flat=True)
        )
        hook, before = self.hands.do(
            lambda asks: _settle(self.hands.webhooks, asks, place, self._wanted, set(known))
        )
        if before is None:
            self.done.created.append(place.name)
        elif _shown(before) != _shown(hook):
            self.done.mended.append(place.name)
        self._keep(place, hook)

    @transaction.atomic
    def _keep(self, place: HookPlace, hook: RemoteHook) -> None:
        hold(self.connection.pk)
        WebhookSubscription.objects.update_or_create(
            connection=self.connection,
            subject=place.id,
            defaults={
                "scope": Scope.REPOSITORY if place.repository else Scope.WORKSPACE,
                "name": place.name,
                "uuid": hook.id,
                # None where somebody removed them meanwhile
                "secret": WebhookSecret.objects.filter(pk=self._secret.pk).first(),
                **_seen(hook, self._wanted.events),
            },
        )


def _settle(
    webhooks: Webhooks,
    asks: Transport,
    place: HookPlace,
    wanted: WantedHook,
    known: set[str],
) -> tuple[RemoteHook, RemoteHook | None]:
    """The webhook of a place as it is now, and as it was; others of ours there are removed."""
    shown = webhooks.listed(asks, place)
    ours = [one for one in shown if one.id in known or _path(one.url) == _path(wanted.url)]
    if not ours:
        return webhooks.create(asks, place, wanted), None
    before, *others = ours
    hook = webhooks.update(asks, place, before.id, wanted)
    for other in others:
        webhooks.delete(asks, place, other.id)
    return hook, before


def drop(hands: Hands, rows: Iterable[WebhookSubscription], done: Done) -> None:
    """Remove webhooks at the provider, and forget those that are gone there."""
    for row in rows:
        place = place_of(row, row.connection)
        try:
            hands.do(partial(hands.webhooks.delete, place=place, hook=row.uuid))
        except NotFound:
            pass
        except ProviderError as error:
            done.problem = error
            continue  # without a credential that may, or time, the others ask nothing
        row.delete()
        done.removed.append(row.name)


def note_seen(row: WebhookSubscription, found: RemoteHook | None, wanted: tuple[str, ...]) -> None:
    """Keep what a look at a webhook told: `found` is None where it is gone."""
    changes = {"state": State.GONE, "seen_at": now()} if found is None else _seen(found, wanted)
    WebhookSubscription.objects.filter(pk=row.pk).update(**changes)


def _seen(hook: RemoteHook, wanted: tuple[str, ...]) -> dict[str, object]:
    """What a look at a webhook tells of it."""
    state = State.ACTIVE if set(wanted) <= set(hook.events) else State.INCOMPLETE
    return {
        "events": list(hook.events),
        "state": state if hook.is_active else State.INACTIVE,
        "seen_at": now(),
    }


def note_done(connection: Connection, by: Actor, done: Done) -> None:
    """Write the audit trail, where anything was done, or could not be."""
    told = done.told()
    if told:
        note("webhooks.changed", connection, by, told)


def _shown(hook: RemoteHook) -> tuple[str, set[str], bool]:
    return hook.url, set(hook.events), hook.is_active


def _path(url: str) -> str:
    """What is ours in an address, whatever host it was made for."""
    return urlsplit(url).path
