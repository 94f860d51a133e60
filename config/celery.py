"""The Celery application: `celery -A config worker`, `celery -A config beat`."""

import logging.config
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

import config.broker  # noqa: F401  # registers files://
from config.memory import share_arenas
from config.start import or_exit, require_keys_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tributary")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@app.on_configure.connect
def _read_settings(**kwargs: Any) -> None:
    """Read Django's settings before Celery looks into them."""
    with or_exit():
        _ = settings.SECRET_KEY


@signals.setup_logging.connect
def _configure_logging(**kwargs: Any) -> None:
    """The lines of workers and of beat look like those of the web processes."""
    logging.config.dictConfig(settings.LOGGING)


@signals.worker_init.connect
@signals.beat_init.connect
def _check_keys(**kwargs: Any) -> None:
    """A worker that could not read the secrets does not start."""
    require_keys_or_exit()


@signals.worker_init.connect
def _limit_memory(**kwargs: Any) -> None:
    """The processes of a worker inherit it."""
    share_arenas()
