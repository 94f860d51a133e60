"""The description itself, and a page of it."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document: the code does not change while it runs."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document. It tells of no tenant, so anybody may read it."""
    answer = JsonResponse(description())
    answer["Cache-Control"] = "public, max-age=300"
    return answer


def docs(request: HttpRequest) -> HttpResponse:
    """A page to read it and to try it, from our own static files."""
    return render(request, "config/docs.html")
