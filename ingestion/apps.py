"""The ingestion app."""

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    name = "ingestion"
    verbose_name = "Ingestion"

    def ready(self) -> None:
        from ingestion import receivers, tasks

        receivers.connect()
        tasks.connect()
