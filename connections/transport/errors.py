"""Everything that can go wrong between us and a provider, drawn once.

ProviderError
├── InvalidCredentials      401: the secret is refused
│   └── ConsentEnded        the authorization behind it is over
├── InvalidPermissions      403: a scope or a role is missing
├── NotFound                404: gone, or not for these eyes
│   └── UnknownHashes       404: some of the commits that were named
├── Gone                    410: the endpoint was removed
├── BadRequest              400 and other 4xx: our mistake
├── RateLimited             429
├── QuotaExhausted          our own ledger: nothing left before `resume_at`
├── Unavailable             5xx, 555
├── Unreachable             no answer in time, no connection, no name
├── TlsError                no trusted connection
├── BlockedAddress          an address that is not allowed
└── UnexpectedResponse      HTML, cut JSON, a wrong shape, too large, an endless listing
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from connections.transport.removals import Removal

MendedBy = Literal["admin", "workspace_admin", "operator", "time"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was asked and what came back, without secrets: for the fold-out below a failure."""

    method: str = ""
    path: str = ""
    status: int | None = None
    ms: int | None = None
    trace_id: str = ""
    excerpt: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value not in ("", None)}


class ProviderError(Exception):
    """A request to a provider failed. The message is a sentence for people, without secrets."""

    code: ClassVar[str] = "unexpected_response"
    retryable: ClassVar[bool] = False
    mended_by: MendedBy = "admin"

    def __init__(self, message: str, *, evidence: Evidence | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.evidence = evidence or Evidence()

    def as_dict(self) -> dict[str, Any]:
        """What rows keep of an error: code, message, retryable, mended_by, evidence."""
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "mended_by": self.mended_by,
            "evidence": self.evidence.as_dict(),
        }


class InvalidCredentials(ProviderError):
    """401: the provider refuses the secret."""

    code = "invalid_credentials"


class ConsentEnded(InvalidCredentials):
    """The OAuth authorization was revoked or ran out."""

    code = "consent_revoked"


class InvalidPermissions(ProviderError):
    """403: the secret lacks a scope, or its account a role."""

    code = "invalid_permissions"

    def __init__(
        self,
        message: str,
        *,
        required: tuple[str, ...] = (),
        granted: tuple[str, ...] = (),
        credential_type: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__(message, evidence=evidence)
        self.required = required
        self.granted = granted
        self.credential_type = credential_type  # as the provider tells it
        # A scope comes with another secret, entered here; a role is given at Bitbucket.
        self.mended_by = "admin" if self.missing_scopes else "workspace_admin"

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "missing_scopes": list(self.missing_scopes)}

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        return tuple(scope for scope in self.required if scope not in self.granted)


class NotFound(ProviderError):
    """404: gone, or not visible to this secret; Bitbucket does not tell which.

    A connector may read it out of another status, as a 410 that is about the thing.
    """

    code = "not_found"
    mended_by = "workspace_admin"


class UnknownHashes(NotFound):
    """404 for some of the commits that a request named: those are told."""

    def __init__(
        self, message: str, *, hashes: tuple[str, ...], evidence: Evidence | None = None
    ) -> None:
        super().__init__(message, evidence=evidence)
        self.hashes = hashes


class Gone(ProviderError):
    """410: the provider removed this endpoint. Nothing here can mend that but a newer version."""

    code = "endpoint_removed"
    mended_by = "operator"

    def __init__(
        self,
        message: str,
        *,
        removal: Removal | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__(message, evidence=evidence)
        self.removal = removal or Removal(is_over=True)


class BadRequest(ProviderError):
    """Another 4xx: the request was wrong, and asking again will not make it right."""

    code = "unexpected_response"
    mended_by = "operator"


class RateLimited(ProviderError):
    """429: too many requests. `retry_after` is in seconds, None where the provider said nothing."""

    code = "provider_rate_limited"
    retryable = True
    mended_by = "time"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__(message, evidence=evidence)
        self.retry_after = retry_after


class QuotaExhausted(ProviderError):
    """Our own ledger says that nothing is left before `resume_at`. No request was made."""

    code = "provider_rate_limited"
    retryable = True
    mended_by = "time"

    def __init__(self, message: str, *, resume_at: datetime) -> None:
        super().__init__(message)
        self.resume_at = resume_at


class Unavailable(ProviderError):
    """5xx: the provider has trouble of its own."""

    code = "unreachable"
    retryable = True
    mended_by = "time"


class Unreachable(ProviderError):
    """No connection, no name, or no whole answer in time."""

    code = "unreachable"
    retryable = True
    mended_by = "time"


class TlsError(ProviderError):
    """The other end could not prove who it is."""

    code = "tls_error"
    retryable = True
    mended_by = "operator"


class BlockedAddress(ProviderError):
    """The address leads where requests must not go."""

    code = "blocked_address"
    mended_by = "operator"


class UnexpectedResponse(ProviderError):
    """An answer that cannot be what the provider means: HTML, cut JSON, a wrong shape."""

    code = "unexpected_response"
    retryable = True
    mended_by = "time"
