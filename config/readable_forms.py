"""Answers forms that cannot be read: Django's own answers to them read them again, and fail."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render


class ReadableForms:
    """Lets no form to a page that is not in UTF-8, or too large. The API reads for itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: Any
    ) -> HttpResponse | None:
        """Before the check of the CSRF token, which reads the form."""
        if getattr(view, "csrf_exempt", False):
            return None
        try:
            request.POST  # noqa: B018  # reading it is the check
        except RequestDataTooBig:
            return _refuse(request, 413)
        except (MultiPartParserError, SuspiciousOperation, UnreadablePostError):
            return _refuse(request, 400)
        except BadRequest:
            return _refuse(request, 415)
        return None


def _refuse(request: HttpRequest, status: int) -> HttpResponse:
    request.POST = QueryDict()
    return render(request, "unreadable.html", status=status)
