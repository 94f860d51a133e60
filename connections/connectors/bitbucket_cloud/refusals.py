"""Reads Bitbucket's refusals: its error envelope becomes an error with a sentence."""

from typing import Any

from connections.connectors.bitbucket_cloud.methods import ENDED
from connections.connectors.bitbucket_cloud.scopes import with_implied
from connections.connectors.findings import lacks
from connections.transport import answers
from connections.transport.answers import Answer, words
from connections.transport.errors import (
    BadRequest,
    Gone,
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    Unavailable,
    UnknownHashes,
)
from connections.transport.removals import Removal


def explain(answer: Answer) -> ProviderError:
    """The error that an answer of Bitbucket Cloud is.

    Envelope: {"type": "error", "error": {"message", "detail"?, "data"?}}; `detail` is a string or
    an object, and some refusals are plain text.
    """
    maker = _BY_STATUS.get(answer.status)
    return maker(answer) if maker else answers.explain(answer)


def envelope(answer: Answer) -> dict[str, Any]:
    """The `error` object of an answer, empty where there is none."""
    try:
        body = answers.decode(answer.body, answer.headers.get("Content-Type", ""))
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def message_of(answer: Answer) -> str:
    """What Bitbucket says itself, cleaned, at most 200 characters."""
    text = envelope(answer).get("message")
    return answers.excerpt(text.encode("utf-8", "replace"))[:200] if isinstance(text, str) else ""


def _unauthorized(answer: Answer) -> ProviderError:
    said = message_of(answer).lower()
    if "app password" in said or said.startswith("change-3222"):
        return InvalidCredentials(ENDED, evidence=answer.evidence())
    if "expired. use your refresh token" in said:
        return InvalidCredentials(
            "Bitbucket says that the authorization's token has expired (401).",
            evidence=answer.evidence(),
        )
    return InvalidCredentials(
        "Bitbucket refused this secret (401). It may be mistyped, revoked or of another kind.",
        evidence=answer.evidence(),
    )


def _forbidden(answer: Answer) -> ProviderError:
    required, granted = scopes_of(answer)
    missing = tuple(scope for scope in required if scope not in granted)
    if missing:
        told = f"The secret {lacks(missing)}."
    else:
        told = "Bitbucket does not allow this (403): the account may lack a role there."
    return InvalidPermissions(
        told,
        required=required,
        granted=granted,
        credential_type=credential_type(answer),
        evidence=answer.evidence(),
    )


def credential_type(answer: Answer) -> str:
    """What Bitbucket says of the kind of a secret that it takes, on any answer to it."""
    return answer.headers.get("X-Credential-Type", "")


def scopes_of(answer: Answer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Required and granted scopes: out of the envelope's detail, else out of the headers.

    Granted are also those that others imply. The headers stand on each answer: they tell why only
    where Bitbucket speaks of scopes, and not of a role (a mere “Forbidden”).
    """
    detail = envelope(answer).get("detail")
    detail = detail if isinstance(detail, dict) else {}
    required = _names(detail.get("required"))
    granted = with_implied(_names(detail.get("granted")) or answer.scopes)
    if not required and granted and b"scope" in answer.body.lower():
        required = words(answer.headers.get("X-Accepted-OAuth-Scopes", ""))
    return (required, granted) if required else ((), ())


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return words(value)
    if isinstance(value, list):
        return tuple(name for name in value if isinstance(name, str))
    return ()


def _not_found(answer: Answer) -> ProviderError:
    said = message_of(answer)
    data = envelope(answer).get("data")
    hashes = _names(data.get("shas")) if isinstance(data, dict) else ()
    if hashes:
        told = "Bitbucket does not know these commits any more (404)."
        return UnknownHashes(told, hashes=hashes, evidence=answer.evidence())
    if "workspace" in said.lower() and "repository" not in said.lower():
        told = "Bitbucket knows no workspace of this name that this secret may see (404)."
    else:
        told = "This is gone at Bitbucket, or this secret may not see it (404)."
    return NotFound(told, evidence=answer.evidence())


def _gone(answer: Answer) -> ProviderError:
    """An endpoint that was removed, which is announced as CHANGE-…, or the thing itself."""
    said = message_of(answer)
    if said and not said.startswith("CHANGE-") and not _announcement(answer):
        told = f"This is gone at Bitbucket (410). It says: {said}"
        return NotFound(told, evidence=answer.evidence())
    told = "Bitbucket has removed this endpoint (410)."
    word, url = said.partition(" ")[0], _announcement(answer)
    change = word if word.startswith("CHANGE-") else ""
    day = REMOVED.get(change, "")
    if day:
        told = f"Bitbucket removed this endpoint on {day} (410)."
    told += f" It says: {said}" if said else ""
    told += f" See {url}" if url else ""
    removal = Removal(change=change, on=day, url=url, is_over=True)
    return Gone(told, removal=removal, evidence=answer.evidence())


# https://developer.atlassian.com/cloud/bitbucket/changelog; of CHANGE-3081, which switches off for
# hours what CHANGE-2770 ends, the day of the end.
REMOVED = {
    "CHANGE-2770": "2026-04-14",
    "CHANGE-3081": "2026-04-14",
    "CHANGE-3401": "2026-08-20",
}


def _announcement(answer: Answer) -> str:
    data = envelope(answer).get("data")
    url = str(data.get("announcement_url", ""))[:200] if isinstance(data, dict) else ""
    return url if url.startswith("https://") else ""


def _bad_request(answer: Answer) -> ProviderError:
    said = message_of(answer)
    told = "Bitbucket did not understand the request (400)."
    return BadRequest(f"{told} It says: {said}" if said else told, evidence=answer.evidence())


def _took_too_long(answer: Answer) -> ProviderError:
    return Unavailable("Bitbucket gave up computing this answer (555).", evidence=answer.evidence())


_BY_STATUS = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    410: _gone,
    555: _took_too_long,
}
