"""Addresses. Each app brings its own; this puts them together."""

from django.conf import settings
from django.urls import include, path, re_path

from config.openapi.views import docs, schema
from config.unknown_method import UnknownMethod

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include("connections.urls_api")),
    path("api/", include("ingestion.urls_api")),
    path("api/", include("tenants.urls_api")),
    path("api/schema/", schema, name="schema"),
    path("api/docs/", docs, name="docs"),
    re_path(r"^api/", UnknownMethod.as_view()),
    path("", include("connections.urls_aws")),
    path("", include("connections.urls")),
    path("", include("ingestion.urls")),
    path("", include("tenants.urls")),
]

if settings.DEMO_KEY:
    from config.demo.sign_in import sign_in

    urlpatterns.append(path("demo/<str:key>/", sign_in))
