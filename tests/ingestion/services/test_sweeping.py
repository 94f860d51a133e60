"""What old syncs did in single repositories is forgotten; what is missing is not."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from ingestion.models import Delivery, RejectedRow, StreamRun, Sync
from ingestion.services.sweeping import sweep_deliveries, sweep_details
from tests.factories import DeliveryFactory, RepositoryFactory, StreamRunFactory, SyncFactory

pytestmark = pytest.mark.django_db
OLD, YOUNG = (timedelta(days=days) for days in (91, 89))


def ended(ago: timedelta, before: Sync | None = None, **more: object) -> Sync:
    """A sync that ended so long ago."""
    if before:
        more["connection"] = before.connection
    sync: Sync = SyncFactory.create(state="partial", finished_at=now() - ago, **more)
    return sync


def rejected(sync: Sync, key: str, *, is_here: bool = False) -> RejectedRow:
    """A row that could not be kept when the sync ended."""
    row = RejectedRow.objects.create(
        sync=sync, stream="pipelines", key=key, resolved_at=sync.finished_at if is_here else None
    )
    RejectedRow.objects.filter(pk=row.pk).update(created_at=sync.finished_at)
    return row


def test_what_old_syncs_did_in_single_repositories_is_forgotten() -> None:
    kept = []
    for ago in (OLD, YOUNG):
        sync = ended(ago)
        repository = RepositoryFactory.create(connection=sync.connection)
        part = StreamRunFactory.create(sync=sync, stream="commits", repository=repository)
        kept += [StreamRunFactory.create(sync=sync, stream="commits").pk]
        kept += [part.pk] if ago is YOUNG else []

    assert sweep_details() == 1

    assert set(StreamRun.objects.values_list("pk", flat=True)) == set(kept)
    assert sweep_details() == 0


def test_what_is_still_missing_stays_noted() -> None:
    old, young = ended(OLD), ended(YOUNG)
    rejected(old, "here by now", is_here=True)
    rejected(young, "here since lately", is_here=True)
    rejected(old, "missing")

    assert sweep_details() == 1

    keys = RejectedRow.objects.values_list("key", flat=True)
    assert set(keys) == {"here since lately", "missing"}


def test_what_was_missing_before_all_was_read_again_is_forgotten() -> None:
    old = ended(OLD)
    rejected(old, "missing then")
    full = ended(OLD, before=old, mode="full")
    rejected(full, "missing still")
    again = ended(YOUNG, before=old, mode="full", goes_on=full.pk)
    rejected(again, "missing since lately")

    sweep_details()

    keys = RejectedRow.objects.values_list("key", flat=True)
    assert set(keys) == {"missing still", "missing since lately"}


def test_old_deliveries_are_forgotten() -> None:
    kept, old = DeliveryFactory.create(), DeliveryFactory.create()
    Delivery.objects.filter(pk=old.pk).update(received_at=now() - timedelta(days=31))

    assert sweep_deliveries() == 1

    assert Delivery.objects.get() == kept
