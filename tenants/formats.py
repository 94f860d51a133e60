"""How pages say times, durations and numbers. Plain values in, words out."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format

MINUTE, HOUR, DAY = 60, 3_600, 86_400
NOTHING = "–"
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number(value: float | None) -> str:
    """With thousands separators; nothing known is a dash."""
    if value is None:
        return NOTHING
    return number_format(value, use_l10n=True, force_grouping=True)


def roughly(value: float | None) -> str:
    """An estimate as people say it, two digits that mean something: “about 5,700”."""
    if value is None:
        return NOTHING
    whole = round(value)
    digits = max(0, len(str(abs(whole))) - 2)
    return f"about {number(round(whole, -digits))}"


def word(value: int) -> str:
    """Small numbers in words, the others in digits."""
    return WORDS[value] if 0 <= value < len(WORDS) else number(value)


def listed(names: Iterable[str]) -> str:
    """“a”, “a and b”, “a, b and c”."""
    *others, last = list(names) or [""]
    return f"{', '.join(others)} and {last}" if others else last


def percent(part: float | None, whole: float | None) -> int | None:
    """A share in whole percent; 100 only when all is done. None when the whole is unknown."""
    if part is None or not whole:
        return None
    share = min(part / whole, 1.0) * 100
    return 100 if part >= whole else min(99, round(share))


def duration(value: float | timedelta | None) -> str:
    """Seconds or a timedelta as people say it: “3 minutes”, “1 hour 20 minutes”, “2 days”."""
    if value is None:
        return NOTHING
    seconds = _seconds(value)
    if seconds < 0.95:
        return f"{seconds:.1f} seconds"
    if seconds < 90:
        return _several(round(seconds), "second")
    if seconds < HOUR - 30:
        return _several(round(seconds / MINUTE), "minute")
    if seconds < DAY:
        return _two(round(seconds / MINUTE), MINUTE, "hour", "minute")
    return _two(round(seconds / HOUR), 24, "day", "hour")


def long_while(days: int) -> str:
    """How long something is kept: “2 years”, “90 days”."""
    years, rest = divmod(days, 365)
    return _several(years, "year") if years and not rest else _several(days, "day")


def short_duration(value: float | timedelta | None) -> str:
    """For tables: “84 ms”, “42 s”, “3 min”, “1 h 20 min”."""
    if value is None:
        return NOTHING
    seconds = _seconds(value)
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < HOUR - 30:
        return f"{round(seconds / MINUTE)} min"
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def milliseconds(value: float | None) -> str:
    return NOTHING if value is None else short_duration(value / 1000)


def when(value: datetime, now: datetime) -> str:
    """A moment beside now, in the reader's time zone: “4 min ago”, “yesterday, 23:50”."""
    seconds = (now - value).total_seconds()
    if abs(seconds) < 45:
        return "just now" if seconds >= 0 else "now"
    if abs(seconds) < 22 * HOUR:
        words = _minutes_or_hours(abs(seconds))
        return f"{words} ago" if seconds > 0 else f"in {words}"
    return _day(value, now)


def clock(value: datetime, now: datetime) -> str:
    """The time on the clock: “14:32” today, “tomorrow, 03:00”, “23 Nov, 14:32”."""
    local, today = timezone.localtime(value), timezone.localtime(now).date()
    time = f"{local:%H:%M}"
    days = (local.date() - today).days
    named = {0: time, 1: f"tomorrow, {time}", -1: f"yesterday, {time}"}
    return named.get(days, f"{_calendar(local.date(), today)}, {time}")


def exact(value: datetime) -> str:
    """The whole moment: “Sun 22 Nov 2026, 14:02:11 UTC”."""
    local = timezone.localtime(value)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S %Z}"


def day(value: date) -> str:
    """A day wherever its year matters: “22 Nov 2026”."""
    return f"{value.day} {value:%b %Y}"


def _seconds(value: float | timedelta) -> float:
    return max(0.0, value.total_seconds() if isinstance(value, timedelta) else float(value))


def _several(count: int, unit: str) -> str:
    return f"{number(count)} {unit}" + ("" if count == 1 else "s")


def _two(count: int, base: int, large: str, small: str) -> str:
    larges, smalls = divmod(count, base)
    words = _several(larges, large)
    return f"{words} {_several(smalls, small)}" if smalls else words


def _minutes_or_hours(seconds: float) -> str:
    if seconds < HOUR - 30:
        return f"{max(1, round(seconds / MINUTE))} min"
    return f"{max(1, round(seconds / HOUR))} h"


def _day(value: datetime, now: datetime) -> str:
    local, today = timezone.localtime(value), timezone.localtime(now).date()
    days = (local.date() - today).days
    if abs(days) <= 1:
        return clock(value, now)
    if abs(days) < 7:
        return f"in {days} days" if days > 0 else f"{-days} days ago"
    return _calendar(local.date(), today)


def _calendar(day: date, today: date) -> str:
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"
