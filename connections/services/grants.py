"""Renews Bitbucket authorizations: one at a time, and never inside a transaction."""

import time
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.timezone import now

from connections.connectors.base import RefreshedTokens
from connections.models import Credential, Draft, Grant
from connections.services.consumers import authorizations_by
from connections.services.trail import note_grant
from connections.transport.errors import ConsentEnded, ProviderError, Unavailable
from connections.transport.http import refuse_inside_transaction
from connections.transport.ledger import tallied
from tenants.actor import Actor
from tenants.secrets import SecretsField
from tenants.threads import leave_thread

FRESH = timedelta(minutes=15)  # less than that left: renew before use
LEASE = timedelta(seconds=60)  # a winner that died is succeeded after that
AGAIN = timedelta(hours=1)
POLL = 0.1  # seconds
KEPT = timedelta(days=30)  # that long an authorization waits for the next connection
PATIENCE = 40.0  # seconds that a loser waits for the winner


def access_token(grant: Grant, *, pause: Callable[[float], None] = time.sleep) -> str:
    """A token with at least 15 minutes left, where Bitbucket gives one.

    Whoever takes the lease renews; the others wait for its result. Both tokens are stored in one
    UPDATE before the first use: the old refresh token is dead by then. Raises ConsentEnded,
    Unavailable, and what the token endpoint answers.
    """
    refuse_inside_transaction()
    waited = 0.0
    while True:
        grant.refresh_from_db()
        if _is_over(grant):
            raise ConsentEnded("The authorization at Bitbucket has ended. Authorize again.")
        if _is_fresh(grant) and grant.ended_at is None:
            return _tokens(grant)["access_token"]
        owner = _take_lease(grant)
        if owner is not None:
            return _renew(grant, owner)
        if waited >= PATIENCE:
            raise Unavailable("The authorization is being renewed and takes too long.")
        pause(POLL)
        waited += POLL


def another_token(grant: Grant, refused: str) -> str:
    """A token in the place of one that was refused before its time. Raises like `access_token`.

    Of several who meet the refusal the first renews; the others take what it got.
    """
    try:
        row = Grant.objects.filter(pk=grant.pk).first()
        if row is None:
            raise ConsentEnded("The authorization is gone. Authorize again.")
        if _tokens(row).get("access_token") == refused:
            Grant.objects.filter(pk=row.pk, expires_at=row.expires_at).update(expires_at=now())
        return access_token(row)
    finally:
        leave_thread()


def _tokens(grant: Grant) -> dict[str, str]:
    return dict(grant.secrets or {})


def _is_over(grant: Grant) -> bool:
    """An hour after a refusal it is tried once more: a wrong consumer looks the same."""
    if not grant.secrets:
        return True
    return grant.ended_at is not None and now() - grant.ended_at < AGAIN


def _is_fresh(grant: Grant) -> bool:
    return grant.expires_at is not None and grant.expires_at - now() > FRESH


def _take_lease(grant: Grant) -> uuid.UUID | None:
    owner = uuid.uuid4()
    free = Q(refresh_until__isnull=True) | Q(refresh_until__lt=Now())
    # The expiry that was read must still stand: else somebody renewed in between.
    taken = Grant.objects.filter(free, pk=grant.pk, expires_at=grant.expires_at).update(
        refresh_owner=owner, refresh_until=Now() + LEASE
    )
    return owner if taken else None


def _renew(grant: Grant, owner: uuid.UUID) -> str:
    refresh_token = _tokens(grant).get("refresh_token", "")
    authorizations = authorizations_by(grant.organization_id, grant.connector, grant.consumer)
    try:
        with tallied() as tally:
            tokens = authorizations.refresh(refresh_token)
    except ConsentEnded:
        return _after_refusal(grant, owner, refresh_token)
    except ProviderError:
        _give_back(grant, owner)
        if grant.expires_at is not None and grant.expires_at > now() + timedelta(minutes=1):
            return _tokens(grant)["access_token"]  # still good; renewed another time
        raise
    if not _store(grant, owner, tokens, tally.requests) and not _has_tokens(grant):
        raise ConsentEnded("This authorization was revoked here. Authorize again.")
    return tokens.access_token


@transaction.atomic
def _store(grant: Grant, owner: uuid.UUID, tokens: RefreshedTokens, requests: int) -> bool:
    """Keep new tokens, unless the old ones were erased meanwhile: then nobody wants them."""
    sealed = SecretsField.seal(
        grant,
        {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token},
    )
    # Also by a winner that outlived its lease, unless a successor has stored a pair by then.
    still = Q(refresh_owner=owner) | Q(expires_at=grant.expires_at)
    kept = Grant.objects.filter(still, pk=grant.pk, secrets__isnull=False).update(
        secrets=sealed,
        expires_at=tokens.expires_at,
        scopes=list(tokens.scopes) or grant.scopes,
        refresh_owner=None,
        refresh_until=None,
        ended_at=None,
    )
    if kept:
        note_grant("grants.refreshed", grant, Actor.system(), requests=requests)
    return bool(kept)


def _has_tokens(grant: Grant) -> bool:
    return Grant.objects.filter(pk=grant.pk, secrets__isnull=False).exists()


def _after_refusal(grant: Grant, owner: uuid.UUID, refresh_token: str) -> str:
    """Refused: either somebody else renewed with the same token, or the authorization is over."""
    _give_back(grant, owner)
    grant.refresh_from_db()
    stored = _tokens(grant)
    if stored.get("refresh_token") != refresh_token and _is_fresh(grant):
        return stored["access_token"]
    with transaction.atomic():
        if Grant.objects.filter(pk=grant.pk, ended_at=None).update(ended_at=now()):
            note_grant("grants.ended", grant, Actor.system(), requests=1)
    raise ConsentEnded(
        "Bitbucket ended this authorization: it was revoked, or not used for three months. "
        "Authorize again."
    )


def _give_back(grant: Grant, owner: uuid.UUID) -> None:
    Grant.objects.filter(pk=grant.pk, refresh_owner=owner).update(
        refresh_owner=None, refresh_until=None
    )


def erase_unused(*ids: int | None) -> None:
    """Erase the tokens of those of these grants that no credential and no draft needs any more."""
    _end(_unused(ids))


def erase_unticked(*ids: int | None) -> None:
    """The same for those for which their owner has ticked no workspace: nobody may use them."""
    _end(_unused(ids).filter(workspaces=[]))


def erase_every_unused() -> None:
    """The same for all: without a tick at once, others when nothing used them for 30 days."""
    unused, moment = _unused(None), now()
    _end(unused.filter(workspaces=[]))
    _end(unused.filter(unused_since__lte=moment - KEPT))
    unused.filter(unused_since=None).update(unused_since=moment)
    held = Grant.objects.filter(unused_since__isnull=False, secrets__isnull=False)
    held.exclude(pk__in=_unused(None)).update(unused_since=None)


def _unused(ids: Iterable[int | None] | None) -> QuerySet[Grant]:
    grants = Grant.objects.filter(secrets__isnull=False)
    if ids is not None:
        grants = grants.filter(pk__in=[pk for pk in ids if pk is not None])
    credentials = Credential.objects.filter(grant=OuterRef("pk"), deleted_at=None)
    drafts = Draft.objects.filter(grant=OuterRef("pk"), expires_at__gt=now())
    return grants.filter(~Exists(credentials), ~Exists(drafts))


def _end(grants: QuerySet[Grant]) -> None:
    grants.update(secrets=None, ended_at=now())
