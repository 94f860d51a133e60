"""Through which OAuth consumer an organization asks: its own, or the installation's."""

import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import Authorizations, Consumer
from connections.connectors.schema import InvalidFields
from connections.models import Credential, Grant, OAuthConsumer
from connections.services.errors import NoConsumer
from connections.services.trail import note_tried_at
from connections.transport.errors import InvalidCredentials, ProviderError
from connections.transport.ledger import tallied
from tenants.actor import Actor
from tenants.models import Organization
from tenants.services import audit

LONGEST = {"client_id": 100, "client_secret": 4096}
# They travel in a header, parted by a colon.
FITS = {"client_id": r"[\x21-\x39\x3b-\x7e]+", "client_secret": r"[\x21-\x7e]+"}


def has_consumer(organization_id: int, connector: str) -> bool:
    """Whether anybody can be asked for consent here."""
    try:
        return bool(authorizations_of(organization_id, connector).consumer)
    except NoConsumer:
        return False


def own_consumer(organization_id: int, connector: str) -> OAuthConsumer | None:
    """The consumer that the organization set for itself."""
    rows = OAuthConsumer.objects.filter(organization_id=organization_id, connector=connector)
    found: OAuthConsumer | None = rows.filter(retired_at=None).first()
    return found


def authorizations_of(organization_id: int, connector: str) -> Authorizations:
    """The dance for the next consent of this organization. Raises NoConsumer."""
    installed = _installed(connector)
    own = own_consumer(organization_id, connector)
    if own is not None:
        return installed.by(_plain(own))
    if not installed.consumer:
        raise NoConsumer(
            f"This installation has no OAuth consumer. An operator can set {installed.set_by}; "
            "an admin can set the organization's own under Settings. Until then, use a token."
        )
    return installed


def authorizations_by(organization_id: int, connector: str, client_id: str) -> Authorizations:
    """The dance through the consumer of this id: for what was begun, or given, through it.

    Where none of that id is left it is the installation's. Raises NoConsumer.
    """
    installed = _installed(connector)
    rows = OAuthConsumer.objects.filter(organization_id=organization_id, connector=connector)
    own = rows.filter(client_id=client_id, secrets__isnull=False).first()
    return installed.by(_plain(own)) if own is not None else installed


def callback_url(authorizations: Authorizations) -> str:
    """Where the consent page sends the browser back: the consumer must name it."""
    path = reverse("connections:consent_callback", args=[authorizations.callback])
    return f"{settings.PUBLIC_URL}{path}"


def set_consumer(
    *, organization: Organization, connector: str, client_id: str, client_secret: str, by: Actor
) -> OAuthConsumer:
    """From now on consents of the organization go through this consumer of its own.

    What was given to another one before is renewed through that one. Makes a request: never call
    it in a transaction. Raises InvalidFields, NoConsumer, and what the token endpoint answers.
    """
    given = _clean(client_id=client_id, client_secret=client_secret)
    authorizations = _installed(connector).by(given)
    with tallied() as tally:
        try:
            authorizations.prove(redirect_uri=callback_url(authorizations))
        except ProviderError as error:
            note_tried_at(
                organization.pk,
                connector,
                {"type": "consumer", "id": None, "name": given.client_id},
                by,
                requests=tally.requests,
                told={"for": "consumer", "outcome": error.code},
            )
            if not isinstance(error, InvalidCredentials):
                raise
            told = "Bitbucket knows no consumer with this key and secret."
            raise InvalidFields({"client_secret": told}) from None
    with transaction.atomic():
        return _store(organization, connector, given, by, tally.requests)


@transaction.atomic
def remove_consumer(*, consumer: OAuthConsumer, by: Actor) -> None:
    """From now on consents go through the installation's consumer again.

    What was given to this one is renewed through it as long as something uses it.
    """
    rows = OAuthConsumer.objects.select_for_update().filter(pk=consumer.pk, retired_at=None)
    if rows.update(retired_at=now()):
        _note("consumers.removed", consumer, by)
        forget_unused_consumers()


def connections_through(consumer: OAuthConsumer) -> list[str]:
    """The names of the connections that are entered by what was given to this consumer."""
    rows = Credential.objects.filter(
        organization_id=consumer.organization_id,
        grant__connector=consumer.connector,
        grant__consumer=consumer.client_id,
        deleted_at=None,
        connection__deleted_at=None,
    )
    names = rows.order_by("connection__name").values_list("connection__name", flat=True)
    return list(names.distinct())


def forget_unused_consumers() -> None:
    """Forget the retired consumers through which nothing is left to renew."""
    given = Grant.objects.filter(
        organization_id=OuterRef("organization_id"),
        connector=OuterRef("connector"),
        consumer=OuterRef("client_id"),
        secrets__isnull=False,
    )
    OAuthConsumer.objects.filter(~Exists(given), retired_at__isnull=False).delete()


def _installed(connector: str) -> Authorizations:
    found = connector_of(connector).authorizations
    if found is None:
        raise NoConsumer("This is not connected by an authorization. Use a token.")
    return found


def _plain(row: OAuthConsumer) -> Consumer:
    secret = dict(row.secrets or {}).get("client_secret", "")
    return Consumer(client_id=row.client_id, client_secret=secret)


def _clean(**typed: str) -> Consumer:
    values = {name: value.strip() for name, value in typed.items()}
    told = {name: _misfit(name, value) for name, value in values.items()}
    problems = {name: sentence for name, sentence in told.items() if sentence}
    if problems:
        raise InvalidFields(problems)
    return Consumer(**values)


def _misfit(name: str, value: str) -> str:
    if not value:
        return "This is required."
    if len(value) > LONGEST[name]:
        return f"At most {LONGEST[name]} characters."
    return (
        "" if re.fullmatch(FITS[name], value) else "It has characters that none has. Paste it anew."
    )


def _store(
    organization: Organization, connector: str, given: Consumer, by: Actor, requests: int
) -> OAuthConsumer:
    # One change at a time: the organization's row is the lock.
    Organization.objects.select_for_update().get(pk=organization.pk)
    rows = OAuthConsumer.objects.filter(organization=organization, connector=connector)
    rows.filter(retired_at=None).exclude(client_id=given.client_id).update(retired_at=now())
    row = rows.filter(client_id=given.client_id).first() or OAuthConsumer(
        organization=organization, connector=connector, client_id=given.client_id
    )
    row.secrets, row.retired_at = {"client_secret": given.client_secret}, None
    row.save()
    _note("consumers.set", row, by, {"client_secret": "changed", "requests": requests})
    forget_unused_consumers()
    return row


def _note(event: str, row: OAuthConsumer, by: Actor, changes: dict[str, Any] | None = None) -> None:
    audit.record(
        organization=row.organization_id,
        event_type=event,
        by=by,
        target={"type": "consumer", "id": row.pk, "name": str(row)},
        changes=changes,
    )


__all__ = (
    "authorizations_by",
    "authorizations_of",
    "callback_url",
    "connections_through",
    "forget_unused_consumers",
    "has_consumer",
    "own_consumer",
    "remove_consumer",
    "set_consumer",
)
