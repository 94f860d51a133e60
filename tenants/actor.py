"""Who does something: a member in the browser, a key, a connect link, or the system itself."""

from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from django.http import HttpRequest

    from tenants.models import AccessKey, ApiKey, User


ActorType = Literal["user", "api_key", "access_key", "link", "system"]
KINDS = {"api_key": "API key", "access_key": "access key"}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """An actor as plain values, as they stand in the audit trail when the row behind is gone."""

    type: ActorType
    id: int | None = None
    name: str = ""
    email: str = ""
    ip_address: str | None = None
    user_agent: str = ""
    request_id: str = ""

    @classmethod
    def system(cls, name: str = "Tributary") -> Self:
        return cls(type="system", name=name)

    @classmethod
    def for_user(cls, user: "User", request: "HttpRequest | None" = None) -> Self:
        return cls(
            type="user", id=user.pk, name=user.name, email=user.email, **_from_request(request)
        )

    @classmethod
    def for_api_key(cls, key: "ApiKey", request: "HttpRequest | None" = None) -> Self:
        return cls(type="api_key", id=key.pk, name=key.name, **_from_request(request))

    @classmethod
    def for_access_key(cls, key: "AccessKey", request: "HttpRequest | None" = None) -> Self:
        return cls(type="access_key", id=key.pk, name=key.name, **_from_request(request))

    @classmethod
    def visitor(cls, request: "HttpRequest | None" = None) -> Self:
        """Somebody without an account, who may hold a connect link."""
        return cls(type="link", id=None, name="", email="", **_from_request(request))

    def holding(self, link: int | None, asked_by: str) -> Self:
        """The same, by the connect link which they hold."""
        return replace(self, id=link, name=f"Connect link of {asked_by}"[:150])

    def as_values(self) -> dict[str, Any]:
        """What is kept of whoever asked for work that a worker does later: `Actor(**values)`."""
        return asdict(self)

    @property
    def full_name(self) -> str:
        """The person's name, or “API key terraform”."""
        return f"{KINDS.get(self.type, '')} {self.name or self.email}".strip()


def _from_request(request: "HttpRequest | None") -> dict[str, str]:
    if request is None:
        return {}
    return {
        "ip_address": client_address(request),
        "user_agent": request.headers.get("User-Agent", "")[:300],
        "request_id": request_id(request),
    }


def request_id(request: "HttpRequest") -> str:
    """The id under which this request stands in the logs, in the answer and in the audit trail."""
    return str(getattr(request, "request_id", ""))[:100]


def client_address(request: "HttpRequest") -> str:
    """The client's address: what the nearest trusted proxy saw, else the peer's own; empty where
    neither is an address, as behind a socket of the file system.
    """
    from django.conf import settings

    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    trusted: int = settings.TRUSTED_PROXY_COUNT
    peer = str(request.META.get("REMOTE_ADDR", ""))
    seen = hops[-trusted] if trusted and len(hops) >= trusted else ""
    return _address(seen or peer)


def _address(text: str) -> str:
    """An address without port and brackets, or nothing."""
    bare = text.partition("]")[0].lstrip("[")
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ip_address(bare.partition("%")[0]))
    except ValueError:
        return ""
