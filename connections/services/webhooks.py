"""Makes, mends, rotates and removes the webhooks of a connection at the provider.

Whether webhooks are wanted is told by the connection's secret: it has one as long as they are.
"""

from functools import partial

from django.db import transaction

from connections.dispatch import REGISTER_WEBHOOKS, REMOVE_WEBHOOKS, send_on_commit
from connections.models import Connection, WebhookSecret
from connections.services.errors import ConnectionDeleted, NotVerified
from connections.services.hands import ANOTHER_MAY, Hands
from connections.services.hook_places import (
    Scope,
    place_of,
    places_left,
    wanted_events,
    webhook_rows,
    webhooks_of,
    whole_workspace,
)
from connections.services.locks import hold
from connections.services.settling import Done, Settler, drop, note_done, note_seen
from connections.services.trail import note
from connections.services.webhook_secrets import current_secret, forget_secrets, make_secret, plain
from connections.transport.errors import ProviderError
from tenants.actor import Actor

AT_ONCE = 20  # repositories while somebody waits; a worker does the others
IN_BACKGROUND, FOR = 200, 120.0  # repositories that one task does, and seconds it may take


def register(*, connection: Connection, by: Actor, rotate: bool = False) -> Done:
    """See to it that webhooks tell of everything that is copied, all with the current secret.

    One of the workspace where a credential may make it, else one of each repository, of which a
    worker does those beyond the first. `rotate` gives them a new secret; without one there is, it
    is made. What the provider refuses is told in `problem`: the secret stands, and a person can
    make the webhook. Makes requests: never call it in a transaction.

    Raises NotVerified, NoWebhooks, ConnectionDeleted.
    """
    webhooks_of(connection)
    if not connection.identity:
        raise NotVerified("Finish connecting first.")
    secret, is_new = _secret(connection, by, rotate)
    done = Done()
    with Hands(connection, by) as hands:
        settle_all(Settler(connection, hands, secret, done), AT_ONCE, again=True)
    note_done(connection, by, done)
    if is_new:
        done.secret = plain(secret)
    if done.left and done.problem is None:
        send_on_commit(REGISTER_WEBHOOKS, connection.organization_id, connection.pk)
    return done


def go_on_registering(connection: Connection, most: int = IN_BACKGROUND) -> Done:
    """Do the repositories that are left, as long as webhooks are wanted: so many, then another task
    goes on, unless none could be done. Makes requests.
    """
    secret, by, done = current_secret(connection), Actor.system(), Done()
    if secret is not None:
        before = len(places_left(connection, secret))
        with Hands(connection, by, FOR) as hands:
            settle_all(Settler(connection, hands, secret, done), most, again=False)
        note_done(connection, by, done)
        if 0 < len(done.left) < before:
            send_on_commit(REGISTER_WEBHOOKS, connection.organization_id, connection.pk)
    return done


def remove(*, connection: Connection, by: Actor) -> Done:
    """Remove what is ours at the provider; from now on no delivery is believed.

    What is gone there already counts as removed; what could not be removed is told in `left`.
    Makes requests: never call it in a transaction. Raises NoWebhooks, ConnectionDeleted.
    """
    webhooks_of(connection)
    with transaction.atomic():
        if hold(connection.pk).deleted_at is not None:
            raise ConnectionDeleted
        forget_secrets(connection)
        note("webhooks.removed", connection, by)
    done = Done()
    with Hands(connection, by) as hands:
        _remove(hands, connection, done, AT_ONCE)
    if done.left and done.problem is None:
        send_on_commit(REMOVE_WEBHOOKS, connection.organization_id, connection.pk)
    note_done(connection, by, done)
    return done


def go_on_removing(connection: Connection, most: int = IN_BACKGROUND) -> Done:
    """Remove what is left, unless webhooks are wanted again: so many, then another task goes on,
    unless none could be removed. Makes requests.
    """
    by, done = Actor.system(), Done()
    if current_secret(connection) is None:
        with Hands(connection, by, FOR) as hands:
            _remove(hands, connection, done, most)
        note_done(connection, by, done)
        if done.left and done.removed:
            send_on_commit(REMOVE_WEBHOOKS, connection.organization_id, connection.pk)
    return done


def remove_with(hands: Hands, connection: Connection, by: Actor) -> Done:
    """Remove what is ours, of a connection that was deleted, by secrets that are erased by now."""
    done = Done()
    _remove(hands, connection, done)
    note_done(connection, by, done)
    return done


def look(*, connection: Connection, by: Actor) -> ProviderError | None:
    """Look at the webhooks at the provider, those first that were not looked at for longest.

    Gives what stood in the way of it. Makes requests: never call it in a transaction.
    """
    rows = list(webhook_rows(connection).order_by("seen_at", "pk")[:AT_ONCE])
    if not rows:
        return None
    with Hands(connection, by) as hands:
        for row in rows:
            try:
                shown = hands.do(partial(hands.webhooks.listed, place=place_of(row, connection)))
            except ProviderError as error:
                return error
            found = next((one for one in shown if one.id == row.uuid), None)
            note_seen(row, found, wanted_events(connection))
    return None


def _secret(connection: Connection, by: Actor, rotate: bool) -> tuple[WebhookSecret, bool]:
    """The secret to use, and whether it is new."""
    with transaction.atomic():
        if hold(connection.pk).deleted_at is not None:
            raise ConnectionDeleted
        known = current_secret(connection)
        if known is not None and not rotate:
            return known, False
        event = "webhooks.rotated" if known else "webhooks.registered"
        note(event, connection, by, {"secret": "changed"})
        return make_secret(connection), True


def settle_all(settler: Settler, most: int, *, again: bool) -> None:
    """The workspace's own webhook where that may be made, else those of repositories; and none
    where somebody removed them meanwhile. Makes requests.
    """
    done = settler.done
    try:
        settler.settle(whole_workspace(settler.connection))
    except ANOTHER_MAY as error:
        done.problem = error
        settler.settle_repositories(most, again=again)
    except ProviderError as error:
        done.problem = error
    else:
        rows = webhook_rows(settler.connection).filter(scope=Scope.REPOSITORY)
        drop(settler.hands, rows[:most], done)
    if current_secret(settler.connection) is None:
        drop(settler.hands, webhook_rows(settler.connection), done)


def _remove(hands: Hands, connection: Connection, done: Done, most: int | None = None) -> None:
    """Remove so many of ours, and tell which are left."""
    drop(hands, webhook_rows(connection)[:most], done)
    done.left = [row.name for row in webhook_rows(connection)]
