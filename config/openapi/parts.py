"""Pieces of the description that many methods share: headers, the shape of failures."""

from collections.abc import Iterable
from typing import Any

from config.openapi.meanings import DETAILS, MEANINGS
from tenants.refusals import STATUS, STATUS_OF_CODE

Part = dict[str, Any]
REQUEST_ID = "5e0c3a52-9d1f-4c69-8a53-0f6a3f8f9b10"
ERROR: Part = {
    "type": "object",
    "description": "A failure. `error` is stable, `message` is for people.",
    "properties": {
        "ok": {"const": False},
        "error": {"type": "string", "enum": list(STATUS_OF_CODE)},
        "message": {"type": "string"},
        "fields": {
            "type": "object",
            "description": "What does not fit, by dotted name, and why.",
            "additionalProperties": {"type": "string"},
        },
        "request_id": {"type": "string", "description": "Finds it in the server's log."},
        "missing_scopes": {"type": "array", "items": {"type": "string"}},
        "streams_available": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The same call with these as `selection.streams` succeeds.",
        },
        "retry_after": {"type": "integer", "description": "Seconds."},
        "connection_id": {"type": "integer"},
        "sync_id": {"type": "integer"},
    },
    "required": ["ok", "error", "message", "request_id"],
}
HEADERS: dict[str, Part] = {
    "X-Request-Id": {
        "description": "The id of this request in the server's log and in the audit trail.",
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit": {
        "description": "Requests that a key may make in a minute.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Remaining": {
        "description": "What is left of them.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Reset": {
        "description": "When the next minute begins, in seconds since 1970.",
        "schema": {"type": "integer"},
    },
}
OF_STATUS: dict[int, dict[str, Part]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "example": "Bearer"}},
    429: {
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    },
}
IF_MATCH: Part = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The row's `etag` as it was read: a row that was changed since is left alone.",
    "example": '"7-1"',
}
IDEMPOTENCY_KEY: Part = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "description": "The same key with the same body answers as the first time, for 24 hours.",
    "example": "5f0b6a4e-3a53-4b5e-9a6a-2f7f7b0f8d11",
}
REPLAYED: Part = {
    "description": "There where this is the answer to an earlier call with this Idempotency-Key.",
    "schema": {"type": "string", "enum": ["true"]},
}
DRY_RUN: Part = {
    "in": "query",
    "name": "dry_run",
    "schema": {"type": "string", "enum": ["0", "1", "false", "true"]},
    "description": "With 1 everything is checked and verified, and nothing is stored.",
}


def headers_of(status: int) -> Part:
    """The headers of every answer, and those of this status."""
    common = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    return {**common, **OF_STATUS.get(status, {})}


def failures(codes: Iterable[str]) -> dict[str, Part]:
    """An answer for each status of these codes, with the codes it may have and an example each."""
    wanted = set(codes)
    return {
        str(status): _failure(status, [code for code in among.split() if code in wanted])
        for status, among in STATUS.items()
        if wanted & set(among.split())
    }


def _failure(status: int, codes: list[str]) -> Part:
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": headers_of(status),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [{"$ref": "#/components/schemas/Error"}],
                    "properties": {"error": {"enum": codes}},
                },
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _example(code: str) -> Part:
    return {
        "ok": False,
        "error": code,
        "message": MEANINGS[code],
        **DETAILS.get(code, {}),
        "request_id": REQUEST_ID,
    }


EXAMPLES = {code: {"value": _example(code)} for code in MEANINGS}
