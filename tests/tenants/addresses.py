"""Addresses of pages and methods that exist for the tests of their bases only."""

from threading import Event

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import access, api
from tenants.authentication import ANY
from tenants.models import AuditEvent, Scope
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class Page(OrganizationView):
    write_permission = Permission.CONNECT

    def get(self, request: HttpRequest) -> HttpResponse:
        template = engines["django"].from_string(
            "{{ organization.name }}|{{ membership.role }}|{{ can.connect }}|{{ admins|join:',' }}"
        )
        return TemplateResponse(request, template)  # type: ignore[arg-type]

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{access.entered()} {self.actor.name}")


class Row(OrganizationView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse(str(pk))


class Inner(api.StrictSerializer):
    username = serializers.EmailField(max_length=50)


class Sent(api.StrictSerializer):
    name = serializers.CharField(max_length=10)
    settings = Inner(required=False)
    ids = serializers.ListField(child=api.IdField(), required=False)


class Echo(api.ApiView):
    scope = {"GET": Scope.CONNECTIONS_READ, "POST": Scope.CONNECTIONS_WRITE}

    def get(self, request: Request) -> Response:
        return Response({"entered": access.entered(), "actor": self.actor.name})

    def post(self, request: Request) -> Response:
        return Response({"got": api.read(request, Sent)}, status=201)


class Slow(api.ApiView):
    """Counts how often it ran; a test may hold it on its way."""

    scope = Scope.CONNECTIONS_WRITE
    begun, goes_on = Event(), Event()
    runs = 0

    def post(self, request: Request) -> Response:
        sent = api.read(request, Sent)
        type(self).runs += 1
        self.begun.set()
        if not self.goes_on.wait(20):
            raise TimeoutError
        if sent["name"] == "refused":
            raise api.ApiError("name_taken", "There is one.")
        return Response({"run": self.runs, "secret": "shown-once"}, status=201)


class Events(api.ApiView):
    scope = ANY

    def get(self, request: Request) -> Response:
        rows = AuditEvent.objects.for_organization(self.organization)
        page, cursor = api.paginate(rows, request, ("-time", "-id"))
        return Response(
            {"ids": [row.pk for row in page], "response_metadata": {"next_cursor": cursor}}
        )


class Taken(Exception):
    code = "name_taken"
    message = "There is one of this name already."
    fields = {"name": "Taken."}


class Breaks(api.ApiView):
    scope = ANY

    def get(self, request: Request) -> Response:
        raise {"domain": Taken(), "bug": RuntimeError("secret detail")}[request.query_params["by"]]


class Closed(api.ApiView):
    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("o/<slug:organization>/test-page/", Page.as_view()),
    path("o/<slug:organization>/test-row/<bigid:pk>/", Row.as_view()),
    path("api/test.echo", Echo.as_view()),
    path("api/test.slow", Slow.as_view(), name="test.slow"),
    path("api/test.events", Events.as_view()),
    path("api/test.breaks", Breaks.as_view()),
    path("api/test.closed", Closed.as_view()),
    path("", include("config.urls")),
]
