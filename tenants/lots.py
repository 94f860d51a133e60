"""Counts against a limit in the shared cache, booked in small lots, since each booking costs.

A process books a fiftieth of the limit at a time and gives it out; what is left of a lot when the
window ends is forfeited. So a key that uses several processes reaches its limit a little early,
never late.
"""

from dataclasses import dataclass
from threading import Lock

from django.core.cache import cache

SHARE = 50  # of a limit: one lot


@dataclass
class _Lot:
    used: int
    end: int


_lots: dict[str, _Lot] = {}
_lock = Lock()


def take(name: str, limit: int, seconds: int) -> int:
    """Count one more under this name, which holds for so many seconds. Returns the count.

    The name ends with `:` and the window that it counts in.
    """
    with _lock:
        lot = _lots.get(name)
        if lot is None or lot.used >= lot.end:
            _forget_other_windows(name)
            lot = _lots[name] = _book(name, max(1, limit // SHARE), seconds)
        lot.used += 1
        return lot.used


def forget() -> None:
    """Forget what was booked: for tests, which empty the cache."""
    with _lock:
        _lots.clear()


def _book(name: str, size: int, seconds: int) -> _Lot:
    """Two at once may be counted as one: a limit, not a ledger."""
    if cache.add(name, size, timeout=seconds):
        return _Lot(0, size)
    try:
        end = int(cache.incr(name, size))
    except ValueError:  # it ran out between the two
        end = size
    return _Lot(end - size, end)


def _forget_other_windows(name: str) -> None:
    window = name.rpartition(":")[2]
    for other in [one for one in _lots if one.rpartition(":")[2] != window]:
        del _lots[other]
