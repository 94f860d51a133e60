"""How log lines look: one line an event, as key=value or as JSON, with the request's id."""

from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_QUIET = {  # what django-structlog says too, or what would say it for every request
    "celery.app.trace": "CRITICAL",
    "celery.worker.strategy": "WARNING",
    "django.request": "CRITICAL",
    "kombu.connection": "ERROR",
    "urllib3": "WARNING",
}
FORMATS = {
    "lines": structlog.processors.KeyValueRenderer(
        key_order=["timestamp", "level", "event", "logger"]
    ),
    "json": structlog.processors.JSONRenderer(),
}


def configure(*, level: str, form: str) -> dict[str, Any]:
    """Set structlog up; returns what Django's LOGGING must be."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": FORMATS[form],
        "foreign_pre_chain": [*_SHARED, structlog.processors.format_exc_info],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {form: formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": quiet} for name, quiet in _QUIET.items()},
    }
