"""Times, durations and numbers as pages say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tenants import formats

NOW = datetime(2026, 3, 10, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=10), "just now"),
        (timedelta(minutes=4), "4 min ago"),
        (timedelta(minutes=59, seconds=50), "1 h ago"),
        (timedelta(hours=15), "15 h ago"),
        (timedelta(hours=23), "yesterday, 15:00"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=20), "18 Feb"),
        (timedelta(days=400), "3 Feb 2025"),
        (timedelta(seconds=-10), "now"),
        (timedelta(minutes=-4), "in 4 min"),
        (timedelta(hours=-26), "tomorrow, 16:00"),
        (timedelta(days=-6), "in 6 days"),
    ],
)
def test_when_says_a_moment_beside_now(ago: timedelta, words: str) -> None:
    assert formats.when(NOW - ago, NOW) == words


def test_clock_is_the_readers() -> None:
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert formats.clock(NOW, NOW) == "23:00"
        assert formats.clock(NOW + timedelta(hours=2), NOW) == "tomorrow, 01:00"


def test_exact_names_the_time_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert formats.exact(NOW) == "Tue 10 Mar 2026, 15:00:00 CET"


def test_names_are_listed_as_people_do() -> None:
    assert formats.listed([]) == ""
    assert formats.listed(["a"]) == "a"
    assert formats.listed(["a", "b"]) == "a and b"
    assert formats.listed(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("seconds", "words", "short"),
    [
        (0.084, "0.1 seconds", "84 ms"),
        (0.96, "1 second", "960 ms"),
        (1, "1 second", "1.0 s"),
        (42, "42 seconds", "42 s"),
        (180, "3 minutes", "3 min"),
        (3_590, "1 hour", "1 h"),
        (4_800, "1 hour 20 minutes", "1 h 20 min"),
        (180_000, "2 days 2 hours", "50 h"),
    ],
)
def test_durations(seconds: float, words: str, short: str) -> None:
    assert formats.duration(seconds) == words
    assert formats.short_duration(timedelta(seconds=seconds)) == short


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(999, 1000, 99), (1000, 1000, 100), (0, 7, 0), (3, None, None)]
)
def test_only_what_is_done_is_a_hundred_percent(
    part: int, whole: int | None, share: int | None
) -> None:
    assert formats.percent(part, whole) == share


def test_numbers_are_grouped_and_estimates_rounded() -> None:
    assert formats.number(20_772) == "20,772"
    assert formats.number(None) == "–"
    assert formats.roughly(5_712) == "about 5,700"
    assert formats.roughly(7) == "about 7"
    assert formats.word(3) == "three"
