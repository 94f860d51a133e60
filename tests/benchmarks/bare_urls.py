"""The product's addresses, and /bare: no key, no scope, no limit, no row."""

from typing import Any

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Bare(APIView):
    """What Django REST framework costs by itself, with the product's middleware."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = ()

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [path("bare", Bare.as_view()), path("", include("config.urls"))]
