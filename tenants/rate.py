"""The rate of API keys, and the headers that show it."""

import time

from rest_framework.settings import api_settings

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def rate() -> tuple[int, int]:
    """Requests and seconds of the rate `api_key`, such as 1000/min."""
    number, _, period = str(api_settings.DEFAULT_THROTTLE_RATES["api_key"]).partition("/")
    return int(number), SECONDS[period[0]]


def headers(limit: int, left: int, reset: int) -> dict[str, str]:
    """The limit, what is left of it, and the moment at which it is whole again."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(0, left)),
        "X-RateLimit-Reset": str(reset),
    }


def unused() -> dict[str, str]:
    """The headers of an answer to nobody: the limit of a key, of which nothing is used."""
    limit, seconds = rate()
    return headers(limit, limit, int((time.time() // seconds + 1) * seconds))
