"""Puts the clock of a process ten minutes back, as it is where nobody sets it."""

import datetime

BACK = datetime.timedelta(minutes=10)
_right = datetime.datetime


class Late(_right):
    @classmethod
    def now(cls, tz=None):  # type: ignore[no-untyped-def,override]
        return _right.now(tz) - BACK

    @classmethod
    def utcnow(cls):  # type: ignore[no-untyped-def,override]
        return _right.now(datetime.UTC).replace(tzinfo=None) - BACK


datetime.datetime = Late  # type: ignore[misc]
