"""Counts against a limit, booked in lots."""

from django.core.cache import cache

from tenants import lots


def test_a_lot_is_booked_at_once_and_given_out_one_by_one() -> None:
    assert [lots.take("key:1:7", 1000, 60) for _ in range(3)] == [1, 2, 3]
    assert cache.get("key:1:7") == 20


def test_another_process_goes_on_behind_it() -> None:
    lots.take("key:1:7", 1000, 60)
    lots.forget()

    assert lots.take("key:1:7", 1000, 60) == 21


def test_a_small_limit_is_counted_exactly() -> None:
    for expected in (1, 2, 3, 4):
        lots.forget()
        assert lots.take("key:1:7", 3, 60) == expected


def test_a_new_window_begins_anew() -> None:
    lots.take("key:1:7", 1000, 60)

    assert lots.take("key:1:8", 1000, 60) == 1
    assert len(lots._lots) == 1
