"""What answers below /api/ where there is no method."""

from typing import NoReturn

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants.api import ApiError, ApiView


class UnknownMethod(ApiView):
    """Every path below /api/ that is no method: 404 in the envelope, with a key or without."""

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self.check_call(request)

    def check_call(self, request: Request) -> NoReturn:
        raise ApiError("unknown_method", "There is no such method.")
