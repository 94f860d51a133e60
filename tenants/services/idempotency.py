"""Lets a write that is sent twice happen once: its first answer is kept for a day."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from tenants.models import ApiKey, IdempotentCall
from tenants.secrets import SecretsField

KEPT = timedelta(hours=24)
# A call that has run for so long died on its way: the longest verification takes a minute.
BROKEN_OFF = timedelta(minutes=5)
BATCH = 1000


class KeyReused(Exception):
    """The key came before, with another address or body."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key came before, with another body. Take a new one."


class KeyInProgress(Exception):
    """The first call with this key has not ended."""

    code = "idempotency_in_progress"
    message = "The first call with this Idempotency-Key still runs. Ask again in a moment."


@dataclass(frozen=True)
class Kept:
    """The answer that the first call got."""

    status: int
    body: dict[str, Any]


def begin(*, api_key: ApiKey, method: str, key: str, sent_hash: str) -> IdempotentCall | Kept:
    """Take the key for this call, or give the answer that it got before.

    Never call it in a transaction: whoever comes second must see it. Raises KeyReused,
    KeyInProgress.
    """
    mine = IdempotentCall(
        organization_id=api_key.organization_id,
        api_key=api_key,
        method=method,
        key=key,
        sent_hash=sent_hash,
        begun_at=now(),
    )
    rows = IdempotentCall.objects.for_organization(api_key.organization_id)
    while True:
        try:
            with transaction.atomic():
                mine.save(force_insert=True)
        except IntegrityError:
            earlier = rows.filter(api_key=api_key, method=method, key=key).first()
        else:
            return mine
        if earlier is None or _forget_old(earlier):
            continue
        return _answer_of(earlier, sent_hash)


def keep(call: IdempotentCall, status: int, body: dict[str, Any]) -> None:
    """Keep the answer of a call that went well, encrypted."""
    sealed = SecretsField.seal(call, {"body": json.dumps(body)})
    IdempotentCall.objects.filter(pk=call.pk).update(status=status, answer=sealed)


def forget(call: IdempotentCall) -> None:
    """A call that failed leaves nothing: the same key may be sent again."""
    IdempotentCall.objects.filter(pk=call.pk).delete()


def sweep() -> int:
    """Delete what was kept for long enough. Returns how many. Outside of any organization."""
    old = IdempotentCall.objects.filter(begun_at__lte=now() - KEPT).order_by("begun_at", "pk")
    ids = list(old.values_list("pk", flat=True)[:BATCH])
    IdempotentCall.objects.filter(pk__in=ids).delete()
    return len(ids)


def _forget_old(earlier: IdempotentCall) -> bool:
    """Delete a call that nothing more is to be told of. False where it still counts."""
    age = now() - earlier.begun_at
    if age < KEPT and (earlier.status is not None or age < BROKEN_OFF):
        return False
    forget(earlier)
    return True


def _answer_of(earlier: IdempotentCall, sent_hash: str) -> Kept:
    if earlier.sent_hash != sent_hash:
        raise KeyReused
    if earlier.status is None or earlier.answer is None:
        raise KeyInProgress
    return Kept(earlier.status, json.loads(earlier.answer["body"]))
