"""What each code of a refusal means, in the sentence that stands as its example."""

from tenants.refusals import STATUS

MEANINGS = {
    "invalid_json": "The body is not valid JSON: Expecting value at line 1, column 1.",
    "not_authed": "Send an API key: “Authorization: Bearer <key>”.",
    "key_expired": "This API key expired on 2026-11-01. Make a new one.",
    "missing_scope": "This API key lacks the scope connections:write.",
    "not_allowed": "This API key has the scope connections:write, but the role viewer does not "
    "allow it.",
    "connection_not_found": "There is no connection with this id.",
    "credential_not_found": "There is no credential with this id on this connection.",
    "sync_not_found": "This connection has no such sync.",
    "repository_not_found": "This connection has no repository 31.",
    "delivery_not_found": "This connection has no such delivery.",
    "unknown_connector_type": "There is no connector of this type. There are: bitbucket_cloud.",
    "unknown_method": "There is no such method.",
    "method_not_allowed": 'Method "GET" not allowed.',
    "not_acceptable": "Answers are application/json only.",
    "connection_not_ready": "“Engineering” is paused. Enable it first.",
    "connection_in_use": "“Engineering Pipelines” cannot work without this connection. "
    "Delete that first.",
    "already_connected": "This workspace is connected already, as “Engineering”. Add a credential "
    "there instead.",
    "sync_already_running": "Sync 41 of this connection has not finished.",
    "idempotency_key_reused": "This Idempotency-Key came before, with another body. Take a new "
    "one.",
    "idempotency_in_progress": "The first call with this Idempotency-Key still runs. Ask again in "
    "a moment.",
    "precondition_failed": "It was changed since you read it. Read it again.",
    "body_too_large": "A body may have 1 MiB at most.",
    "unsupported_media_type": "Send application/json or application/x-www-form-urlencoded, in "
    "UTF-8, not compressed.",
    "invalid_arguments": "These do not fit: name.",
    "name_taken": "Another connection is already called “Engineering”.",
    "multiple_credentials_not_supported": "This kind of connection takes one credential only.",
    "parent_required": "Name the bitbucket_cloud connection that it belongs to.",
    "invalid_credentials": "Bitbucket refuses this secret (401).",
    "invalid_permissions": "The token lacks the scope pullrequest.",
    "no_resources": "Bitbucket accepts the secret and lists no repository.",
    "workspace_not_found": "Bitbucket knows no workspace acme that this secret sees.",
    "unsupported_version": "This server runs 7.2; 7.14 or later is needed.",
    "base_url_mismatch": "This server answers with links to localhost.",
    "blocked_address": "This address is private; the operator must allow it.",
    "unexpected_response": "Bitbucket answered with something that is not its API.",
    "rate_limited": "This API key asked too often. Ask again in 12 seconds.",
    "internal_error": "This is our mistake. The request id finds it in our log.",
    "unreachable": "Bitbucket does not answer.",
    "tls_error": "Bitbucket's certificate cannot be trusted.",
    "provider_rate_limited": "Bitbucket's limit is reached. Ask again in 60 seconds.",
    "unavailable": "The database is busy. Ask again in a moment.",
}
# Further parts of some answers, beside the sentence.
DETAILS: dict[str, dict[str, object]] = {
    "invalid_arguments": {"fields": {"name": "This field is required."}},
    "invalid_permissions": {
        "missing_scopes": ["pullrequest"],
        "streams_available": ["repositories", "people"],
    },
    "already_connected": {"connection_id": 7},
    "sync_already_running": {"sync_id": 41},
    "provider_rate_limited": {"retry_after": 60},
}


def table() -> str:
    """Every code with its status, as Markdown."""
    rows = [
        f"| {status} | `{code}` | {MEANINGS[code].replace('<', '&lt;')} |"
        for status, codes in STATUS.items()
        for code in codes.split()
    ]
    return "\n".join(["| HTTP | code | such as |", "|---|---|---|", *rows])
