"""The ledger: what is booked, what is kept back, what a refusal does."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum
from pytest_django import DjangoAssertNumQueries

from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose
from ingestion.clock import database_now
from ingestion.models import Quota, QuotaBucket
from ingestion.quota import COUNTED, Ledger, book_ahead, forget_lots, usage

pytestmark = pytest.mark.django_db
SUBJECT = "0" * 64


@pytest.fixture(autouse=True)
def _small_quota(settings: Any) -> None:
    settings.QUOTA_LIMIT, settings.QUOTA_WINDOW = 100, 3600
    forget_lots()


def take_all(purpose: Purpose = Purpose.VERIFY, most: int = 1000) -> tuple[int, QuotaExhausted]:
    """Take until nothing is left: how many there were, and what was said then."""
    for number in range(most):
        try:
            Ledger().take(SUBJECT, purpose=purpose)
        except QuotaExhausted as said:
            return number, said
    raise AssertionError("there was no end")


def pass_time(seconds: float) -> None:
    """Let what is booked and blocked be so much older."""
    forget_lots()
    aside = timedelta(days=3650)  # and back: no row comes where another still is
    QuotaBucket.objects.update(starts_at=F("starts_at") - timedelta(seconds=seconds) - aside)
    QuotaBucket.objects.update(starts_at=F("starts_at") + aside)
    for name in ("blocked_until", "learned_until"):
        moved = {name: F(name) - timedelta(seconds=seconds)}
        Quota.objects.exclude(**{name: None}).update(**moved)


def test_exactly_the_limit_is_given() -> None:
    taken, said = take_all()

    assert taken == 100
    assert said.retryable
    assert said.mended_by == "time"


def take(count: int) -> None:
    for _ in range(count):
        Ledger().take(SUBJECT, purpose=Purpose.VERIFY)


def test_a_lot_that_runs_low_is_followed_by_one_that_was_booked_ahead(
    settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.QUOTA_LIMIT = 10_000
    take(12)
    book_ahead()
    assert usage(SUBJECT).used == 25
    take(1)
    book_ahead()
    booked = usage(SUBJECT).used
    assert booked > 25
    with django_assert_num_queries(0):
        take(booked - 13)


def test_nothing_is_booked_ahead_that_is_not_there(settings: Any) -> None:
    settings.QUOTA_LIMIT = 20
    while usage(SUBJECT).used < 20:
        take(1)
        book_ahead()
    book_ahead()
    assert usage(SUBJECT).used == 20


def test_who_asks_quickly_books_more_at_a_time(settings: Any) -> None:
    settings.QUOTA_LIMIT = 10_000
    take(26)
    assert usage(SUBJECT).used > 2 * 25


def test_a_tenth_is_kept_for_people() -> None:
    scheduled, _ = take_all(Purpose.SCHEDULE)
    asked, _ = take_all(Purpose.VERIFY)

    assert scheduled == 90
    assert asked == 10


def test_a_limit_of_one_stops_no_schedule(settings: Any) -> None:
    settings.QUOTA_LIMIT = 1

    assert take_all(Purpose.SCHEDULE)[0] == 1


def test_says_when_the_first_booking_leaves_the_window() -> None:
    _, said = take_all()

    wait = (said.resume_at - database_now()).total_seconds()
    assert 3600 < wait <= COUNTED * 60


def test_what_left_the_window_is_free_again() -> None:
    take_all()

    pass_time(COUNTED * 60 - 70)
    with pytest.raises(QuotaExhausted):
        Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
    pass_time(71)

    assert take_all()[0] == 100


def test_several_processes_share_one_window(settings: Any) -> None:
    given = 0
    for _ in range(200):  # each with a lot of its own, as after a restart
        forget_lots()
        try:
            Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
        except QuotaExhausted:
            break
        given += 1

    booked = QuotaBucket.objects.aggregate(n=Sum("booked"))["n"]
    assert given <= booked <= 100


def test_subjects_have_windows_of_their_own() -> None:
    take_all()

    Ledger().take("1" * 64, purpose=Purpose.VERIFY)


def test_limit_that_bitbucket_tells_replaces_ours() -> None:
    Ledger().take(SUBJECT, purpose=Purpose.VERIFY)

    Ledger().learn(SUBJECT, limit=40)

    assert usage(SUBJECT).limit == 40
    forget_lots()
    assert take_all()[0] == 30  # ten were booked already


def test_limit_that_came_with_a_refusal_lasts_an_hour() -> None:
    Ledger().learn(SUBJECT, limit=500)
    Ledger().learn(SUBJECT, limit=40, refused_for=1)
    assert usage(SUBJECT).limit == 40

    pass_time(3601)

    assert usage(SUBJECT).limit == 100
    Ledger().learn(SUBJECT, limit=500)
    assert usage(SUBJECT).limit == 500


def test_limit_of_an_answer_replaces_that_of_a_refusal() -> None:
    Ledger().learn(SUBJECT, limit=40, refused_for=1)
    Ledger().learn(SUBJECT, limit=40)

    pass_time(3601)

    assert usage(SUBJECT).limit == 40


def test_refusal_with_a_time_blocks_until_then() -> None:
    Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
    Ledger().learn(SUBJECT, refused_for=17)

    with pytest.raises(QuotaExhausted) as said:
        Ledger().take(SUBJECT, purpose=Purpose.VERIFY)

    assert 15 < (said.value.resume_at - database_now()).total_seconds() <= 17


def test_refusals_without_a_time_double_up_to_a_quarter_of_an_hour() -> None:
    waits = []
    for _ in range(6):
        Ledger().learn(SUBJECT, refused_for=0)
        until = usage(SUBJECT).free_at
        assert until
        waits.append(round((until - database_now()).total_seconds()))
        pass_time(1000)
        Ledger().take(SUBJECT, purpose=Purpose.VERIFY)  # the one try

    assert waits == [60, 120, 240, 480, 900, 900]


def test_several_refusals_at_once_count_as_one() -> None:
    for _ in range(5):
        Ledger().learn(SUBJECT, refused_for=0)

    until = usage(SUBJECT).free_at
    assert until
    assert (until - database_now()).total_seconds() <= 60


def test_after_a_block_one_request_tries_and_then_all_may() -> None:
    Ledger().learn(SUBJECT, refused_for=0)
    pass_time(61)

    Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
    with pytest.raises(QuotaExhausted):
        Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
    pass_time(6)

    assert take_all()[0] > 50
    assert Quota.objects.get().blocks == 0


@pytest.mark.django_db(transaction=True)
def test_threads_never_overbook() -> None:
    given = []

    def work() -> None:
        try:
            for _ in range(60):
                Ledger().take(SUBJECT, purpose=Purpose.VERIFY)
                given.append(1)
        except QuotaExhausted:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(given) == 100
