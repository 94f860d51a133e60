"""Addresses. Each app brings its own; this puts them together."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include("connections.urls_api")),
    path("api/", include("ingestion.urls_api")),
    path("", include("connections.urls")),
    path("", include("ingestion.urls")),
    path("", include("tenants.urls")),
]
