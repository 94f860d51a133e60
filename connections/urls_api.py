"""Addresses of the API's methods on connections."""

from django.urls import URLPattern

app_name = "connections-api"
urlpatterns: list[URLPattern] = []
