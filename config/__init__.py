"""Composition: settings, addresses, Celery, the embedded broker, the API's envelope."""

from config.celery import app as celery_app

__all__ = ("celery_app",)
