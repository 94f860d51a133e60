"""Who is asking: the Authorization header, read as Bitbucket reads it."""

from __future__ import annotations

import base64

from tests.sandbox.answers import BAD_TOKEN, EXPIRED_TOKEN, Refused, unauthorized
from tests.sandbox.clock import Clock
from tests.sandbox.scopes import covered
from tests.sandbox.tokens import Token, Tokens

CREDENTIAL_TYPES = {
    "oauth": "oauth2",
    "workspace": "workspace_access_token",
    "project": "project_access_token",
    "repository": "repo_access_token",
    "api_token": "api_token",
}


def authenticate(header: str | None, tokens: Tokens, clock: Clock) -> Token | None:
    """The credential in use, None for an anonymous request. Raises Refused (401) otherwise."""
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        token = _bearer(value.strip(), tokens)
    elif scheme.lower() == "basic":
        token = _basic(value.strip(), tokens)
    else:
        token = None
    if token is None or token.revoked:
        raise Refused(unauthorized())
    if token.expires_at is not None and clock.seconds() >= token.expires_at:
        raise Refused(unauthorized(EXPIRED_TOKEN if token.kind == "oauth" else BAD_TOKEN))
    return token


def _bearer(secret: str, tokens: Tokens) -> Token | None:
    token = tokens.by_secret.get(secret)
    return None if token is None or token.kind in ("api_token", "app_password") else token


def _basic(value: str, tokens: Tokens) -> Token | None:
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    token = tokens.by_secret.get(secret)
    if token is None or token.kind != "api_token" or not token.scopes:
        return None
    return token if name.lower() == token.person.email.lower() else None


def lacks(token: Token, classic: tuple[str, ...], granular: tuple[str, ...]) -> tuple[str, ...]:
    """The required scopes, if the token misses one of them; else nothing."""
    if token.kind == "api_token":
        required, granted = granular, set(token.scopes)
    else:
        required, granted = classic, covered(token.scopes)
    return () if granted.issuperset(required) else required


def describe(token: Token, classic: tuple[str, ...], granular: tuple[str, ...]) -> dict[str, str]:
    """The headers about scopes that authenticated answers carry."""
    required = granular if token.kind == "api_token" else classic
    return {
        "x-oauth-scopes": ", ".join(token.scopes),
        "x-accepted-oauth-scopes": ", ".join(required),
        "x-credential-type": CREDENTIAL_TYPES.get(token.kind, token.kind),
    }
