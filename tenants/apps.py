"""The tenants app."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        from tenants import checks, converters, tasks, variables, wall  # noqa: F401  # the first register

        converters.register()
        connection_created.connect(wall.teach, dispatch_uid="tenants.wall")
        connection_created.connect(variables.allow, dispatch_uid="tenants.variables")
