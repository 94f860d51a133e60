"""How many requests are left, for pages. The ledger itself is `ingestion.quota`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min, Q, Sum
from django.utils.timezone import now

from connections.models import Connection, Credential
from ingestion.models import Quota
from ingestion.quota import BUCKETS, COUNTED


@dataclass(frozen=True, kw_only=True)
class QuotaLeft:
    """Requests of one rolling window: its limit, what Tributary used, what is left."""

    limit: int
    used: int
    own: int = 0  # of those: what the organization that asks used
    blocked_until: datetime | None = None
    next_free: datetime | None = None  # when the oldest requests leave the window
    windows: int = 1  # of subjects that are counted each by itself

    @property
    def free_at(self) -> datetime | None:
        """When something is free again; None while something is."""
        return (self.blocked_until or self.next_free) if not self.left else None

    @property
    def left(self) -> int:
        return 0 if self.blocked_until else max(0, self.limit - self.used)

    @property
    def percent(self) -> int:
        return round(100 * self.left / self.limit) if self.limit else 0


def quota_of_subjects(subjects: Iterable[str], whose: int = 0) -> dict[str, QuotaLeft]:
    """What is left for each subject; one that was never used has its whole window.

    `whose` is the organization whose own use is told beside that of all.
    """
    wanted = {subject for subject in subjects if subject}
    time = now()
    bucket = timedelta(seconds=settings.QUOTA_WINDOW / BUCKETS)
    in_window = Q(buckets__starts_at__gt=time - bucket * COUNTED)
    found = Quota.objects.filter(subject__in=wanted).annotate(
        used=Sum("buckets__booked", filter=in_window),
        own=Sum("buckets__booked", filter=in_window & Q(buckets__whose=whose)),
        oldest=Min("buckets__starts_at", filter=in_window & Q(buckets__booked__gt=0)),
    )
    known = {quota.subject: _left(quota, time, bucket) for quota in found}
    return {
        subject: known.get(subject) or QuotaLeft(limit=settings.QUOTA_LIMIT, used=0)
        for subject in wanted
    }


def _left(quota: Any, time: datetime, bucket: timedelta) -> QuotaLeft:
    blocked = quota.blocked_until if quota.blocked_until and quota.blocked_until > time else None
    return QuotaLeft(
        limit=quota.limit_at(time),
        used=quota.used or 0,
        own=quota.own or 0,
        blocked_until=blocked,
        next_free=quota.oldest + bucket * COUNTED if quota.oldest else None,
    )


def quota_of_connections(
    connections: Iterable[Connection], credentials: dict[int, list[Credential]]
) -> dict[int, QuotaLeft]:
    """What the usable credentials of each connection have left together.

    Credentials that share a subject (two tokens of one account) share one window: it counts once.
    """
    subjects = {
        connection.pk: {c.quota_subject for c in credentials.get(connection.pk, []) if is_usable(c)}
        for connection in connections
    }
    left = quota_of_subjects(set().union(*subjects.values()))
    return {
        pk: _together([left[subject] for subject in mine if subject])
        for pk, mine in subjects.items()
        if any(mine)
    }


def is_usable(credential: Credential) -> bool:
    """Whether a credential may be asked with at all."""
    return credential.status in {Credential.Status.ACTIVE, Credential.Status.LIMITED}


def _together(parts: list[QuotaLeft]) -> QuotaLeft:
    blocked = [part.blocked_until for part in parts if part.blocked_until]
    return QuotaLeft(
        limit=sum(part.limit for part in parts),
        used=sum(part.limit if part.blocked_until else part.used for part in parts),
        blocked_until=min(blocked) if len(blocked) == len(parts) else None,
        next_free=min((part.next_free for part in parts if part.next_free), default=None),
        windows=len(parts),
    )
