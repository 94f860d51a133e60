"""Gives each request an id, and logs it without what an address may hold in confidence."""

from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware
from structlog.contextvars import bind_contextvars, get_contextvars

from tenants.actor import client_address

# They let somebody in, or prove something about somebody.
ONE_TIME_ADDRESSES = (
    "/join/",
    "/connect/",
    "/demo/",
    "/accounts/password/reset/key/",
    "/accounts/confirm-email/",
)


class RequestLog(RequestMiddleware):
    """django-structlog's middleware: lines without query and token, answers with the id.

    The address in them is the one that the audit trail and the limits believe.
    """

    def prepare(self, request: HttpRequest) -> None:
        super().prepare(request)
        request.request_id = get_contextvars().get("request_id", "")  # type: ignore[attr-defined]

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        response.headers.setdefault("X-Request-Id", getattr(request, "request_id", ""))
        super().handle_response(request, response)

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        bind_contextvars(ip=client_address(request))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        path = request.path
        for prefix in ONE_TIME_ADDRESSES:
            if path.startswith(prefix):
                path = f"{prefix}…"
        return f"{request.method} {path}"
