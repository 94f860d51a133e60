"""Forgets what nobody needs any more, in steps that hold no table for long."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from ingestion.models import Delivery, Quota, QuotaBucket, RejectedRow, State, StreamRun, Sync

STEP, MOST = 500, 20  # rows of a step, steps of a run


def sweep_quotas() -> int:
    """Forget the windows of subjects that asked for nothing in two of them. Returns how many.

    Most are of secrets that were tried once and refused. Who asks again begins anew, and learns
    its limit from the first answer.
    """
    moment = now()
    old = moment - timedelta(seconds=2 * settings.QUOTA_WINDOW)
    used = QuotaBucket.objects.filter(quota=OuterRef("pk"), starts_at__gt=old)
    is_free = Q(blocked_until=None) | Q(blocked_until__lte=old)
    unused = Quota.objects.filter(is_free, ~Exists(used)).order_by("pk")
    return in_steps(partial(_delete, unused))


def sweep_details() -> int:
    """Forget what old syncs did in single repositories, and what they could not store. Returns how
    many rows.

    A sync keeps its sums. What is still missing stays noted for as long: its gap would close.
    """
    old = now() - timedelta(days=settings.SYNC_DETAILS_KEPT)
    parts = StreamRun.objects.filter(repository__isnull=False, sync__finished_at__lt=old)
    whole = Sync.objects.filter(
        connection=OuterRef("sync__connection"),
        mode=Sync.Mode.FULL,
        state__in=(State.SUCCEEDED, State.PARTIAL),
    )
    since = whole.filter(Q(goes_on__gt=OuterRef("sync")) | Q(goes_on=None, pk__gt=OuterRef("sync")))
    over = Q(resolved_at__isnull=False) | Exists(since)  # or all was read since, and told anew
    rejected = RejectedRow.objects.filter(over, created_at__lt=old)
    return sum(in_steps(partial(_delete, one.order_by("pk"))) for one in (parts, rejected))


def sweep_deliveries() -> int:
    """Forget deliveries that came long ago, with their bodies. Returns how many."""
    old = now() - timedelta(days=settings.DELIVERIES_KEPT)
    return in_steps(partial(_delete, Delivery.objects.filter(received_at__lt=old).order_by("pk")))


def in_steps(step: Callable[[], int], most: int = MOST) -> int:
    """Do a step again until one finds nothing, or there were many. Returns how much they did."""
    total = 0
    for _ in range(most):
        done = step()
        total += done
        if not done:
            break
    return total


def _delete(rows: "QuerySet[Any]") -> int:
    keys = list(rows.values_list("pk", flat=True)[:STEP])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
