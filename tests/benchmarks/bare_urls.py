"""The product's addresses, with /bare and /keyed: views that do nothing."""

from typing import Any

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.api import ApiView
from tenants.authentication import ANY


class Bare(APIView):
    """What Django REST framework costs by itself, with the product's middleware: no key is asked
    for, nothing is counted, no row is read.
    """

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = ()

    def get(self, request: Request) -> Response:
        return Response({})


class Keyed(ApiView):
    """What every method of the API costs: the key, its limit, and the organization entered."""

    scope = ANY

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("bare", Bare.as_view()),
    path("keyed", Keyed.as_view()),
    path("", include("config.urls")),
]
