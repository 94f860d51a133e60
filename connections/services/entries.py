"""From rows to entries: decrypts a secret and renews an authorization."""

from dataclasses import replace
from functools import partial

from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.models import Credential, Draft
from connections.services.grants import access_token, another_token
from connections.transport.errors import InvalidCredentials
from connections.transport.ledger import Purpose
from tenants.secrets import keyed_hash

USED_EVERY = 60  # seconds between two notes of `last_used_at`


def entry_for(credential: Credential, *, purpose: Purpose) -> Entry:
    """The entry of a credential. Never call it inside a transaction: it may renew a grant by HTTP.

    Whoever uses it notes that in the audit trail, once and at the end: see `rows.note_use`.
    Raises InvalidCredentials, ConsentEnded, and what a token endpoint can answer.
    """
    connection = credential.connection
    settings = {**connection.at(connection.identity or connection.place), **credential.settings}
    renew = None
    if credential.grant is not None:
        settings["consumer"] = credential.grant.consumer
        secrets = {"access_token": access_token(credential.grant)}
        renew = partial(another_token, credential.grant)
    else:
        secrets = dict(credential.secrets or {})
    if not secrets:
        raise InvalidCredentials("This credential has no secret any more. Enter a new one.")
    _touch(credential)
    return Entry(
        method=credential.method,
        settings=settings,
        secrets=secrets,
        purpose=purpose,
        acts_as=_proven_account(credential),
        renew=renew,
        organization=credential.organization_id,
    )


def _proven_account(credential: Credential) -> str:
    """The account that the secret is of, as long as Bitbucket takes the secret."""
    accepted = (Credential.Status.ACTIVE, Credential.Status.LIMITED)
    return credential.identity if credential.status in accepted else ""


def draft_entry(draft: Draft, *, purpose: Purpose = Purpose.VERIFY) -> Entry:
    """The entry of a draft, for use; like `entry_for`, it may renew a grant by HTTP.

    Raises InvalidCredentials where its secret was erased, and what a token endpoint can answer.
    """
    entry = draft_entry_values(draft, purpose=purpose)
    if draft.grant is not None:
        if not draft.grant.is_ticked(connector(draft.connector).place_in(entry.settings)):
            raise InvalidCredentials("The authorization was not given for this workspace.")
        token = access_token(draft.grant)
        return replace(
            entry, secrets={"access_token": token}, renew=partial(another_token, draft.grant)
        )
    if not entry.secrets or draft.expires_at <= now():
        raise InvalidCredentials("The secret was erased after 60 minutes. Enter it again.")
    return entry


def draft_entry_values(draft: Draft, *, purpose: Purpose = Purpose.VERIFY) -> Entry:
    """The same as plain values, without any request; of an authorization without its token."""
    settings = dict(draft.settings)
    if draft.connection is not None and draft.connection.identity:
        settings |= draft.at(draft.connection.identity)
    if draft.grant is not None:
        settings["consumer"] = draft.grant.consumer
    return Entry(
        method=draft.method,
        settings=settings,
        secrets=dict(draft.secrets or {}),
        purpose=purpose,
        organization=draft.organization_id,
    )


def secret_hash(entry: Entry) -> str:
    """Finds the same secret elsewhere without telling it; empty for authorizations."""
    if entry.method == "oauth2":
        return ""
    return keyed_hash("secret", *(entry.secrets[name] for name in sorted(entry.secrets)))


def _touch(credential: Credential) -> None:
    moment = now()
    last = credential.last_used_at
    if last is None or (moment - last).total_seconds() >= USED_EVERY:
        Credential.objects.filter(pk=credential.pk).update(last_used_at=moment)
        credential.last_used_at = moment
