"""What a failure means for a check, and what a listing says of repositories."""

from collections.abc import Sequence
from typing import Any

from django.utils.timezone import now

from connections.connectors.base import CheckResult, Entry, RemoteRepository
from connections.connectors.bitbucket_cloud.methods import ENDED
from connections.transport.answers import Answer
from connections.transport.errors import (
    ConsentEnded,
    InvalidCredentials,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RateLimited,
)


def outcome_of(result: CheckResult, error: ProviderError, entry: Entry) -> tuple[str, str]:
    """The outcome of a check that failed so, with its sentence."""
    if isinstance(error, ConsentEnded):
        return "invalid_credentials", error.message
    if isinstance(error, InvalidCredentials) and _is_of_pair(entry, error):
        return error.code, _REFUSED_PAIR.format(email=entry.settings.get("username", ""))
    if not isinstance(error, NotFound):
        known = error.code if error.code in _OUTCOMES else "unexpected_response"
        return known, error.message
    if result.name == "workspace":
        return "workspace_not_found", "Bitbucket shows this secret no workspace of this name."
    if result.name == "repositories":
        what = "this repository" if entry.settings.get("repository") else "these repositories"
        return "no_resources", f"Bitbucket does not show {what} to this secret."
    return "invalid_permissions", "Bitbucket does not show this to this secret (404)."


def _is_of_pair(entry: Entry, error: ProviderError) -> bool:
    return entry.method == "api_token" and error.message != ENDED


def without_repository(entry: Entry) -> str:
    """What is said where a repository token shows nothing, since nobody told of which it is."""
    place = entry.settings.get("workspace", "")
    return (
        "Bitbucket accepts this repository access token, but such a token does not tell of which "
        f"repository it is. Name its repository in {place}."
    )


def without_account(entry: Entry) -> str:
    """Why a token that belongs to a part of a workspace does not list people, and what would.

    https://developer.atlassian.com/cloud/bitbucket/rest/intro/#access-tokens; only the form tells
    a repository token from the others.
    """
    if entry.method != "access_token":
        return ""
    if entry.settings.get("repository"):
        kind = "A repository token can never have it"
    else:
        kind = "A project or repository token can never have it"
    return f" {kind}: to copy people, a workspace admin makes a workspace token."


# Bitbucket answers a wrong e-mail and a wrong token alike.
_REFUSED_PAIR = (
    "Bitbucket does not accept this as an API token of {email} (401). Check the e-mail first: "
    "it is the one of the Atlassian account, not a user name. Or the token was made without "
    "scopes, is mistyped or revoked."
)
_OUTCOMES = {
    "invalid_credentials",
    "invalid_permissions",
    "provider_rate_limited",
    "unreachable",
    "tls_error",
    "blocked_address",
    "unexpected_response",
}


def seconds_to_wait(error: ProviderError) -> float:
    if isinstance(error, QuotaExhausted):
        return max(1.0, (error.resume_at - now()).total_seconds())
    return (error.retry_after if isinstance(error, RateLimited) else None) or 60.0


def repositories_of(rows: Sequence[dict[str, Any]]) -> list[RemoteRepository]:
    return [
        RemoteRepository(
            id=row["uuid"],
            name=str(row.get("full_name") or row["uuid"])[:300],
            updated_on=str(row.get("updated_on") or ""),
        )
        for row in rows
        if isinstance(row.get("uuid"), str)
    ]


def size_of(listed: Answer, rows: Sequence[dict[str, Any]]) -> int | None:
    """How many things a list has, by its first page; None where that does not tell."""
    body = listed.json if isinstance(listed.json, dict) else {}
    size = body.get("size")
    if isinstance(size, int) and size >= len(rows):
        return size
    return None if body.get("next") else len(rows)


def project_of(rows: Sequence[dict[str, Any]]) -> str:
    """The key of the project that all these repositories belong to; empty where they differ."""
    projects = [row.get("project") for row in rows]
    keys = {str(one.get("key", "")) for one in projects if isinstance(one, dict)}
    return keys.pop()[:100] if len(keys) == 1 else ""
