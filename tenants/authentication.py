"""How the API knows who asks: keys, their scopes, and how often they may ask."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.utils.timezone import now
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework_api_key.crypto import KeyGenerator

from tenants import lots, scopes
from tenants.models import ApiKey, Key, Scope, User
from tenants.prepared import Given, Prepared
from tenants.rate import headers, rate
from tenants.roles import Permission, allows

if TYPE_CHECKING:  # the framework's views import this module
    from rest_framework.views import APIView

ANY = "any"  # a method that every valid key may call
_KEY = re.compile(r"([A-Za-z0-9]{8})\.[A-Za-z0-9]{32}")
_USE_NOTED_EVERY = timedelta(minutes=1)
_OF_PREFIX = Prepared(
    lambda: (
        scopes.with_maker_role(ApiKey.objects.select_related("organization", "made_by"))
        .filter(prefix=Given("prefix", ApiKey, "prefix"), revoked_at=None)
        .order_by()
    )
)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`. `request.auth` is the key, `request.user` its maker."""

    def authenticate(self, request: Request) -> tuple[User | None, ApiKey] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _, given = header.partition(" ")
        if scheme.lower() != "bearer":
            raise AuthenticationFailed("Send the API key as “Authorization: Bearer <key>”.")
        key = _find(given.strip())
        note_use(key)
        return key.made_by, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """The key has the scope that the view names for this HTTP method, and still the right to it.

    A view names `scope`: a Scope, ANY, or {"GET": …, "POST": …}. One that names none is closed.
    It may name a `permission`, too.
    """

    code = "missing_scope"
    message = ""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Key):
            return False
        scope = _scope_of(view, request.method or "")
        require_scope(request.auth, scope, getattr(view, "permission", None))
        return True


def require_scope(key: Key, scope: str, permission: Permission | None = None) -> None:
    """Raise PermissionDenied unless the key has this scope and its role still allows it, and the
    permission where a method needs more than the scope names.
    """
    role = scopes.present_role(key)  # once: what follows asks no more
    if role is None:
        raise PermissionDenied(
            f"The person who made this {key.kind} is no longer a member. Make a new one.",
            code="not_allowed",
        )
    if scope == ANY:
        return
    if scope not in key.scopes:
        raise PermissionDenied(f"This {key.kind} lacks the scope {scope}.", code="missing_scope")
    is_allowed = permission is None or allows(role, permission)
    if not is_allowed or not scopes.role_permits(role, Scope(scope)):
        raise PermissionDenied(
            f"This {key.kind} has the scope {scope}, but the role {role} does not allow it.",
            code="not_allowed",
        )


class KeyThrottle(BaseThrottle):
    """So many requests in each minute per key: the rate `api_key`."""

    clock: Callable[[], float] = time.time

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Key):
            return True
        instant = type(self).clock()
        limit, seconds = rate()
        window = int(instant // seconds)
        name = f"{request.auth.kind}:{request.auth.pk}:{window}".replace(" ", "_")
        count = lots.take(name, limit, 2 * seconds)
        reset = int((window + 1) * seconds)
        self.left = max(1, int(reset - instant) + 1)
        # The view puts these on its answer, whatever it is.
        view.quota_headers = headers(limit, limit - count, reset)  # type: ignore[attr-defined]
        return count <= limit

    def wait(self) -> float:
        return self.left


def _find(given: str) -> ApiKey:
    """The key row of what was sent. Raises AuthenticationFailed: not_authed or key_expired."""
    match = _KEY.fullmatch(given)
    found = _OF_PREFIX.rows(prefix=match[1]) if match else []
    key = found[0] if found else None
    if key is None or not KeyGenerator().verify(given, key.hash):
        raise AuthenticationFailed("This API key is not known here, or it was revoked.")
    if key.has_expired and key.expires_at:
        raise AuthenticationFailed(
            f"This API key expired on {key.expires_at:%Y-%m-%d}. Make a new one.",
            code="key_expired",
        )
    return cast(ApiKey, key)


def note_use(key: Key) -> None:
    """Keep when the key was last used, to the minute."""
    instant = now()
    if key.last_used_at is None or instant - key.last_used_at >= _USE_NOTED_EVERY:
        type(key)._default_manager.filter(pk=key.pk).update(last_used_at=instant)


def _scope_of(view: "APIView", method: str) -> str:
    named: Any = getattr(view, "scope", None)
    if isinstance(named, dict):
        named = named.get("GET" if method == "HEAD" else method)
        if named is None:
            raise MethodNotAllowed(method)
    if named is None:
        raise PermissionDenied("This method is closed: it names no scope.", code="not_allowed")
    return str(named)
