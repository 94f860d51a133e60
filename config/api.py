"""The envelope of the API: how bodies are read, answers are wrapped, and failures are told."""

import json
import logging
from collections.abc import Mapping
from typing import IO, Any, cast
from urllib.parse import parse_qsl

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.db.utils import OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.bodies import LARGEST_BODY
from tenants import strict_json
from tenants.actor import request_id
from tenants.refusals import STATUS_OF_CODE, ApiError, InvalidArguments
from tenants.strict_json import FormData

logger = logging.getLogger("tributary.api")

MOST_FIELDS = 1000
MOST_TOLD, LONGEST_KEY, LONGEST = 50, 100, 1000  # of what does not fit: fields, characters
CHARSETS = frozenset({"", "utf-8", "utf8"})

# What the domain calls it, and what api.md calls it.
CODES = {
    "consent_revoked": "invalid_credentials",
    "endpoint_removed": "unexpected_response",
    "not_found": "workspace_not_found",
}
DETAILS = ("missing_scopes", "streams_available", "retry_after")


class EnvelopeRenderer(BaseRenderer):
    """`{"ok": true, …}`; failures come with `"ok": false` from the exception handler."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, media_type: Any = None, context: Any = None) -> bytes:
        body = data if isinstance(data, dict) and "ok" in data else {"ok": True, **(data or {})}
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()


class StrictJSONParser(BaseParser):
    """`application/json`, read strictly."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, context: Any = None
    ) -> dict[str, Any] | Any:
        _check_kind(context)
        try:
            return strict_json.loads(_body(stream, context))
        except strict_json.BadText as error:
            raise InvalidArguments({error.path: str(error)}) from None
        except strict_json.NotStrictJson as error:
            raise ApiError("invalid_json", f"The body {error}") from None


class ObjectFormParser(BaseParser):
    """`application/x-www-form-urlencoded`; objects in it are JSON text, decoded by the schema."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, context: Any = None
    ) -> FormData:
        _check_kind(context)
        pairs = _pairs(_body(stream, context))
        twice = {name for name, _ in pairs if [key for key, _ in pairs].count(name) > 1}
        if twice:
            fields = dict.fromkeys(sorted(twice), "Named twice.")
            raise ApiError("invalid_arguments", "A field was sent twice.", fields=fields)
        return FormData(pairs)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any failure of a method in the envelope, with the id under which the log has it."""
    told = _told(error)
    if told is None:
        logger.exception("An API method failed.", exc_info=error)
        told = ApiError(
            "internal_error", "This is our mistake. The request id finds it in our log."
        )
    request = context.get("request")
    body: dict[str, Any] = {
        "ok": False,
        "error": told.code,
        "message": told.message[:LONGEST],
        **told.extra,
    }
    if told.fields:
        body["fields"] = _bounded(told.fields)
    body["request_id"] = request_id(request._request) if isinstance(request, Request) else ""
    return Response(body, status=told.status_code, headers=told.headers)


def _bounded(fields: Mapping[str, str]) -> dict[str, str]:
    """The first of them: names are the sender's own, and there may be very many or long ones."""
    return {name[:LONGEST_KEY]: said[:LONGEST] for name, said in list(fields.items())[:MOST_TOLD]}


def _told(error: Exception) -> ApiError | None:
    """The failure as the API tells it; None if it is our own mistake."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return ApiError("unknown_method", "There is nothing at this address.")
    if isinstance(error, DjangoPermissionDenied):
        return ApiError("not_allowed", str(error) or "This is not allowed.")
    if isinstance(error, SuspiciousOperation):
        return ApiError("invalid_json", "The request cannot be read.")
    if isinstance(error, OperationalError):
        logger.warning("The database did not answer in time.", exc_info=error)
        return ApiError("unavailable", "The database is busy. Ask again in a moment.")
    return _of_domain(error)


def _of_domain(error: Exception) -> ApiError | None:
    """Errors of the services: `code`, `message`, maybe `fields` and further details."""
    code = CODES.get(getattr(error, "code", ""), getattr(error, "code", ""))
    message = getattr(error, "message", "")
    if code not in STATUS_OF_CODE or not message:
        return None
    if code == "invalid_arguments" and getattr(error, "fields", None):
        return InvalidArguments(error.fields)  # type: ignore[attr-defined]
    extra = dict(getattr(error, "extra", {}) or {})
    for name in DETAILS:
        value = getattr(error, name, None)
        if value is not None:
            extra[name] = list(value) if isinstance(value, tuple | set | frozenset) else value
    retry_after = extra.get("retry_after")
    headers = {"Retry-After": str(int(retry_after))} if retry_after is not None else {}
    return ApiError(
        code, message, fields=getattr(error, "fields", None), headers=headers, extra=extra
    )


def _of_framework(error: exceptions.APIException) -> ApiError:
    """Django REST framework's own errors under our codes."""
    match error:
        case exceptions.Throttled():
            wait = str(int(getattr(error, "wait", None) or 1))
            message = f"This API key asked too often. Ask again in {wait} seconds."
            return ApiError("rate_limited", message, headers={"Retry-After": wait})
        case exceptions.NotAuthenticated():
            return _unauthorized("not_authed", "Send an API key: “Authorization: Bearer <key>”.")
        case exceptions.AuthenticationFailed():
            code = "key_expired" if error.get_codes() == "key_expired" else "not_authed"
            return _unauthorized(code, str(error.detail))
        case exceptions.PermissionDenied():
            code = str(error.get_codes())
            return ApiError(code if code in STATUS_OF_CODE else "not_allowed", str(error.detail))
        case exceptions.MethodNotAllowed():
            return ApiError("method_not_allowed", str(error.detail))
        case exceptions.NotAcceptable():
            return ApiError("not_acceptable", "Answers are application/json only.")
        case exceptions.UnsupportedMediaType():
            return ApiError(
                "unsupported_media_type",
                "Send application/json or application/x-www-form-urlencoded, in UTF-8, "
                "not compressed.",
            )
        case exceptions.ValidationError():
            return ApiError("invalid_arguments", "These arguments do not fit.")
    return ApiError("invalid_json", str(error.detail))


def _unauthorized(code: str, message: str) -> ApiError:
    return ApiError(code, message, headers={"WWW-Authenticate": "Bearer"})


def _check_kind(context: Any) -> None:
    """UTF-8, not compressed, and of one type: DRF would take `*/*` for any of ours."""
    headers = _request(context).headers
    kind, encoding = headers.get("Content-Type", ""), headers.get("Content-Encoding", "identity")
    if "*" in kind.partition(";")[0] or encoding.strip().lower() != "identity":
        raise exceptions.UnsupportedMediaType(kind)
    charset = kind.lower().partition("charset=")[2]
    if charset.split(";")[0].strip().strip('"') not in CHARSETS:
        raise exceptions.UnsupportedMediaType("another encoding")


def _body(stream: IO[Any], context: Any) -> bytes:
    """At most 1 MiB, and all of it. A body that says that it is larger is not read at all."""
    said = int(_request(context).META.get("CONTENT_LENGTH") or "0")
    if said > LARGEST_BODY:
        raise ApiError("body_too_large", "A body may have 1 MiB at most.")
    try:
        body = cast(bytes, stream.read())
    except UnreadablePostError:
        body = b""
    if len(body) < said:
        raise ApiError("invalid_json", "The body broke off before its end.")
    return body


def _request(context: Any) -> Request:
    return cast(Request, context["request"])


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
        for name, value in pairs:
            strict_json.check_text(name)
            strict_json.check_text(value, name)
    except strict_json.BadText as error:
        raise InvalidArguments({error.path: str(error)}) from None
    except ValueError:
        raise ApiError("invalid_json", "The form body cannot be read as UTF-8 form data.") from None
    return pairs
