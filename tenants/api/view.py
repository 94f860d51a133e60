"""The base of every API method: the key, its scope, and the organization entered."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants import access, rate
from tenants.actor import Actor
from tenants.api import repeats
from tenants.api.reading import FLAGS, Nothing, query_of, read
from tenants.api.shapes import Answer
from tenants.models import ApiKey, IdempotentCall, Organization
from tenants.refusals import ApiError, InvalidArguments
from tenants.roles import Permission


class AnyKind(BaseContentNegotiation):
    """For methods that answer with a file: whatever is accepted, errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """One API method. Subclasses name `scope` and have `get` or `post`.

    `scope` is a Scope, `tenants.authentication.ANY`, or {"GET": …, "POST": …}. The organization of
    the key is entered around the handler. The answer is a Response of a dict; the renderer adds
    `"ok": true`. What a method takes, gives and refuses is read by the description at /api/schema/.
    """

    scope: str | Mapping[str, str] | None = None
    permission: Permission | None = None  # where the role must allow more than the scope names
    http_method_names = ["get", "head", "post"]
    takes: type[serializers.BaseSerializer[Any]] = Nothing  # the query of a GET, a POST's body
    gives: type[serializers.BaseSerializer[Any]] = Answer
    files: Sequence[str] = ()  # media types of an answer that is no JSON
    status = 200  # of an answer that went well
    refuses: Sequence[str] = ()  # codes of its own, beside those that any method has
    example: Mapping[str, Any] = {}  # of what it takes
    takes_if_match = False
    quota_headers: Mapping[str, str] = {}
    takes_dry_run = False  # `?dry_run=1`: everything is checked, nothing is stored
    _call: IdempotentCall | None = None

    @property
    def key(self) -> ApiKey:
        key = self.request.auth
        if not isinstance(key, ApiKey):
            raise ApiError("not_authed", "Send an API key.")
        return key

    @property
    def organization(self) -> Organization:
        return self.key.organization

    @cached_property
    def actor(self) -> Actor:
        """Who does it, for services and the audit trail."""
        return Actor.for_api_key(self.key, self.request._request)

    def read(self) -> dict[str, Any]:
        """What was sent, checked against `takes`. Raises InvalidArguments."""
        _ = self.is_dry_run  # what is neither yes nor no is refused before anything is done
        return read(self.request, self.takes)

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be stored. Raises InvalidArguments for neither yes nor no."""
        if not self.takes_dry_run:
            return False
        said = query_of(self.request).get("dry_run", "0")
        if said not in FLAGS:
            raise InvalidArguments({"dry_run": "1 or 0."})
        return FLAGS[said]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._door:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.perform_authentication(request)
        self.check_throttles(request)  # before everything else: refusals count, too
        self.check_call(request)
        self.check_permissions(request)
        self._door.enter_context(access.enter(self.organization))
        self._call = repeats.begin(request, self.key)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, repeats.AnsweredBefore):
            return exc.response
        return super().handle_exception(exc)

    def check_call(self, request: Request) -> None:
        """Refuse what no key could ask of this method."""
        if (request.method or "").lower() not in self._handled():
            raise MethodNotAllowed(request.method or "")
        self.format_kwarg = None
        self._negotiate(request)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self._call is not None:
            repeats.end(self._call, response)
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.quota_headers or rate.unused()).items():
            final[name] = value
        final["Cache-Control"] = "no-store"
        return final

    def _handled(self) -> list[str]:
        return [name for name in self.http_method_names if hasattr(self, name)]

    def _negotiate(self, request: Request) -> None:
        chosen = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = chosen
