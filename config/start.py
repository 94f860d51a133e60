"""What must hold before a process starts, beside the settings themselves."""

from django.core.exceptions import ImproperlyConfigured

from tenants.checks import require_keys


def require_keys_or_exit() -> None:
    """End with a sentence if the stored secrets could not be read."""
    try:
        require_keys()
    except ImproperlyConfigured as problem:
        raise SystemExit(str(problem)) from None
