"""A process that cannot start ends with a sentence, not with a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured

CANNOT_START = 3  # with this one gunicorn gives up; with others it starts worker after worker


@contextmanager
def or_exit() -> Iterator[None]:
    """Say which setting is missing or wrong, and end."""
    try:
        yield
    except ImproperlyConfigured as problem:
        sys.stderr.write(f"Tributary cannot start: {problem}\n")
        raise SystemExit(CANNOT_START) from None


def require_keys_or_exit() -> None:
    """End with a sentence if the stored secrets could not be read."""
    from tenants.checks import require_keys  # the apps must be ready first

    with or_exit():
        require_keys()
