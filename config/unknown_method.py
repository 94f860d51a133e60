"""What answers below /api/ where there is no method."""

from typing import Any, NoReturn

from rest_framework.request import Request
from rest_framework.views import APIView

from tenants.refusals import ApiError


class UnknownMethod(APIView):
    """Every path below /api/ that is no method: 404 in the envelope, with a key or without."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise ApiError("unknown_method", f"There is no method {request.path[:200]}.")
