"""Addresses of the API's methods on ingestion."""

from django.urls import URLPattern

app_name = "ingestion-api"
urlpatterns: list[URLPattern] = []
