"""Addresses of the API's methods on tenants."""

from django.urls import path

from tenants.api import audit

app_name = "tenants-api"

urlpatterns = [
    path("auditLogs.list", audit.AuditLogsList.as_view(), name="auditLogs.list"),
]
