"""Numbers with what they count."""

from datetime import datetime

from django.utils.timezone import now

from tenants import formats


def counted(count: int, one: str, many: str = "") -> str:
    """“1 repository”, “1,204 repositories”."""
    return f"{formats.number(count)} {one if count == 1 else many or one + 's'}"


def clock(time: datetime) -> str:
    """“14:32”, “tomorrow, 03:00”, beside the present moment."""
    return formats.clock(time, now())
