"""The connections app."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = "Connections"

    def ready(self) -> None:
        """Make the tasks known to every process: pages send them, too."""
        from connections import tasks  # noqa: F401
