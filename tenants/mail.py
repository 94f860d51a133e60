"""Whether this installation sends e-mail at all."""

from django.conf import settings

SILENT = ("console", "dummy", "filebased")  # backends that reach nobody


def sends_mail() -> bool:
    """Whether what is mailed reaches somebody. Without EMAIL_URL it goes to the log."""
    kind = settings.EMAIL_BACKEND.split(".")[-2]
    return kind not in SILENT
