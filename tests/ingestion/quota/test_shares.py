"""Whose the permits of a window are: urgent work's, each organization's, nobody's twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose
from ingestion.clock import database_now
from ingestion.models import Quota, QuotaBucket, QuotaClaim
from ingestion.quota import Ledger, forget_lots
from ingestion.selectors.quota import quota_of_subjects
from ingestion.services.sweeping import sweep_quotas
from tests.ingestion.quota.test_ledger import SUBJECT, pass_time
from tests.sandbox.clock import Clock
from tests.sandbox.quota import Quota as Strict

pytestmark = pytest.mark.django_db
ACME, GLOBEX = 1, 2


@pytest.fixture(autouse=True)
def _small_quota(settings: Any) -> None:
    settings.QUOTA_LIMIT, settings.QUOTA_WINDOW = 100, 3600
    forget_lots()


def take(whose: int, most: int = 1000, purpose: Purpose = Purpose.SCHEDULE) -> int:
    """Take until nothing is left for this organization, or it has enough: how many there were."""
    for number in range(most):
        try:
            Ledger().take(SUBJECT, purpose=purpose, whose=whose)
        except QuotaExhausted:
            return number
    return most


def test_each_kind_of_work_leaves_something_to_what_is_more_urgent() -> None:
    kinds = (Purpose.SCHEDULE, Purpose.PERSON, Purpose.VERIFY)

    assert [take(ACME, purpose=kind) for kind in kinds] == [90, 5, 5]


def test_who_is_alone_has_the_whole_window() -> None:
    assert take(ACME) == 90


def test_who_waits_gets_its_share_of_what_becomes_free() -> None:
    take(ACME)
    assert take(GLOBEX) == 0  # and waits from now on
    pass_time(3600)  # half of what Acme booked is free again
    half = QuotaBucket.objects.first()
    assert half
    QuotaBucket.objects.create(
        quota=half.quota, whose=ACME, booked=45, starts_at=half.starts_at + timedelta(minutes=30)
    )
    pass_time(120)
    QuotaClaim.objects.update(until=database_now() + timedelta(minutes=1))

    assert take(ACME) == 0
    assert take(GLOBEX) == 45


def test_who_asks_with_another_has_its_share_and_what_the_other_leaves() -> None:
    take(GLOBEX, most=1)
    QuotaBucket.objects.update(booked=1)
    forget_lots()

    assert take(ACME) == 90 - 45  # the rest of Globex's half is kept for it
    assert take(GLOBEX) == 44


def test_who_has_stopped_asking_keeps_nothing_from_others() -> None:
    take(GLOBEX, most=10)
    QuotaBucket.objects.update(starts_at=F("starts_at") - timedelta(minutes=5), booked=10)
    forget_lots()

    assert take(ACME) == 80


def test_a_check_waits_for_no_share() -> None:
    take(ACME, most=60)
    take(GLOBEX, most=1)
    forget_lots()

    assert take(ACME, purpose=Purpose.VERIFY) > 5


def test_what_an_organization_used_is_told_apart() -> None:
    take(ACME, most=10)
    take(GLOBEX, most=5)

    left = quota_of_subjects([SUBJECT], whose=ACME)[SUBJECT]

    assert left.used > left.own >= 10


def test_a_storm_of_restarts_is_refused_nothing() -> None:
    """Each process takes a few permits and dies; Bitbucket counts strictly."""
    clock = Clock()
    strict = Strict(clock, window=3600, limit=100)
    given = 0

    for turn in range(150):
        forget_lots()
        given += (some := take(ACME, most=1 + turn % 7, purpose=Purpose.VERIFY))
        assert all(strict.take(SUBJECT) is None for _ in range(some))
        step = 37 + turn % 50
        pass_time(step)
        clock.advance(step)

    assert strict.refused == 0
    assert given > 100  # in two hours and a half


def test_windows_that_nobody_uses_are_forgotten() -> None:
    Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
    pass_time(2 * 3600 + 120)
    Ledger().take("1" * 64, purpose=Purpose.VERIFY)
    Ledger().learn("2" * 64, refused_for=60)

    assert sweep_quotas() == 1
    assert set(Quota.objects.values_list("subject", flat=True)) == {"1" * 64, "2" * 64}
