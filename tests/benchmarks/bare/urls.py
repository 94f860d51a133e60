"""The product's addresses, with /bare and /empty: views that do nothing."""

from typing import Any

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

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


class Empty(APIView):
    """An empty view as the settings make each: with authentication, permission and throttle."""

    scope = ANY

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("bare", Bare.as_view()),
    path("empty", Empty.as_view()),
    path("", include("config.urls")),
]
