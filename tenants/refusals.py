"""Refusals of the API: one table of codes, and the error that carries one."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import APIException

STATUS = {
    400: "invalid_json",
    401: "not_authed key_expired",
    403: "missing_scope not_allowed",
    404: "connection_not_found credential_not_found sync_not_found repository_not_found "
    "delivery_not_found unknown_connector_type unknown_method",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "connection_not_ready connection_in_use already_connected sync_already_running "
    "idempotency_key_reused idempotency_in_progress",
    412: "precondition_failed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_arguments name_taken multiple_credentials_not_supported parent_required "
    "invalid_credentials invalid_permissions no_resources workspace_not_found "
    "unsupported_version base_url_mismatch blocked_address unexpected_response",
    429: "rate_limited",
    500: "internal_error",
    502: "unreachable tls_error",
    503: "provider_rate_limited unavailable",
}
STATUS_OF_CODE = {code: status for status, codes in STATUS.items() for code in codes.split()}


class ApiError(APIException):
    """A refusal with a stable code; its HTTP status comes from the table above."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code)
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.status_code = status or STATUS_OF_CODE[code]
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class InvalidArguments(ApiError):
    """What was sent does not fit; `fields` says which part, and why."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        named = ", ".join(sorted(fields)) or "the body"
        super().__init__("invalid_arguments", f"These do not fit: {named}.", fields=fields)
