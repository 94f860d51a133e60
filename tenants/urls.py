"""Addresses of the tenants pages."""

from django.urls import URLPattern

app_name = "tenants"
urlpatterns: list[URLPattern] = []
