"""Forgets what nobody needs any more, in steps that hold no table for long."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now

from ingestion.models import Quota, QuotaBucket

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
    return in_steps(lambda: _delete(list(unused.values_list("pk", flat=True)[:STEP])))


def in_steps(step: Callable[[], int], most: int = MOST) -> int:
    """Do a step again until one finds nothing, or there were many. Returns how much they did."""
    total = 0
    for _ in range(most):
        done = step()
        total += done
        if not done:
            break
    return total


def _delete(keys: list[int]) -> int:
    Quota.objects.filter(pk__in=keys).delete()
    return len(keys)
