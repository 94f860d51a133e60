"""What a verification found, and what follows from it. Plain values, no rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from connections.connectors.base import CheckResult, Identity, RemoteRepository, Stream
from tenants.formats import listed

OnResult = Callable[[CheckResult], None]
OK = "ok"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of all checks of one secret.

    `outcome` is `ok` or one of Verification.Outcome. `retry_after` is in seconds, where the
    provider or our own ledger said that it is too early. `requests` is what it took. Where not
    `is_whole`, some of the repositories could not be listed.
    """

    outcome: str
    message: str
    checks: tuple[CheckResult, ...]
    identity: Identity = field(default_factory=Identity)
    repositories: tuple[RemoteRepository, ...] = ()
    is_whole: bool = True
    missing_scopes: tuple[str, ...] = ()
    streams_available: tuple[str, ...] = ()
    out_of_reach: tuple[str, ...] = ()  # streams that no secret of this kind can read
    needless_scopes: tuple[str, ...] = ()
    mended_by: str = ""
    retry_after: float | None = None
    requests: int = 0
    streams: tuple[str, ...] = ()  # for which it was asked; empty: all

    @property
    def of_secret(self) -> "Finding":
        """The same but for endpoints that the provider removed: another secret changes nothing."""
        checks = [check for check in self.checks if check.required or not check.is_removed]
        if len(checks) == len(self.checks):
            return self
        decisive = deciding(checks, self.streams)
        return replace(
            self,
            outcome=decisive.outcome if decisive else OK,
            message=summary(checks, self.streams),
            mended_by=decisive.mended_by if decisive else "",
        )

    @property
    def is_ok(self) -> bool:
        return self.outcome == OK

    def check_rows(self) -> list[dict[str, Any]]:
        """The checks as they stand in Verification.checks."""
        return [as_row(check) for check in self.checks]


def as_row(check: CheckResult) -> dict[str, Any]:
    """A check as plain JSON."""
    return asdict(check)


def from_row(row: Mapping[str, Any]) -> CheckResult:
    """A check out of Verification.checks; keys of later versions are passed over."""
    known = {one.name for one in fields(CheckResult)}
    return CheckResult(**{key: value for key, value in row.items() if key in known})


def conclude(
    checks: Sequence[CheckResult],
    *,
    streams: Collection[str],
    declared: Sequence[Stream],
    identity: Identity | None = None,
    repositories: Sequence[RemoteRepository] = (),
    is_whole: bool = True,
    needless_scopes: Sequence[str] = (),
    retry_after: float | None = None,
    requests: int = 0,
) -> Finding:
    """Draw the conclusion of all checks for the streams that are wanted; empty: all of them."""
    decisive = deciding(checks, streams)
    return Finding(
        outcome=decisive.outcome if decisive else OK,
        message=summary(checks, streams),
        checks=tuple(checks),
        identity=identity or Identity(),
        repositories=tuple(repositories),
        is_whole=is_whole,
        missing_scopes=missing_scopes(checks, streams),
        streams_available=tuple(
            key for key in available(checks, declared) if not streams or key in streams
        ),
        out_of_reach=out_of_reach(checks, declared),
        needless_scopes=tuple(needless_scopes),
        mended_by=decisive.mended_by if decisive else "",
        retry_after=retry_after,
        requests=requests,
        streams=tuple(streams),
    )


def counts(check: CheckResult, streams: Collection[str]) -> bool:
    """Whether this check decides anything for these streams."""
    if check.optional or check.never:
        return False
    return check.required or not check.stream or not streams or check.stream in streams


def failing(checks: Sequence[CheckResult], streams: Collection[str]) -> list[CheckResult]:
    """The checks that stand in the way of these streams."""
    return [check for check in checks if check.outcome not in {"", OK} and counts(check, streams)]


def deciding(checks: Sequence[CheckResult], streams: Collection[str]) -> CheckResult | None:
    """The check whose outcome is the outcome of all: a refused secret, then what is required."""
    found = failing(checks, streams)
    refused = [check for check in found if check.outcome == "invalid_credentials"]
    required = [check for check in found if check.required]
    return next(iter([*refused, *required, *found]), None)


def missing_scopes(checks: Sequence[CheckResult], streams: Collection[str]) -> tuple[str, ...]:
    """Every scope that the failing checks name, each once."""
    named = (scope for check in failing(checks, streams) for scope in check.missing_scopes)
    return tuple(dict.fromkeys(named))


def lacks(scopes: Collection[str]) -> str:
    """“lacks the scope a”, “lacks the scopes a, b and c”: what follows “it”."""
    return f"lacks the scope{'' if len(scopes) == 1 else 's'} {listed(scopes)}"


def available(checks: Sequence[CheckResult], declared: Sequence[Stream]) -> tuple[str, ...]:
    """The streams that can be copied with what passed; none where a required check failed."""
    if any(check.required and check.outcome != OK for check in checks):
        return ()
    refused = {check.stream for check in checks if check.stream and check.outcome != OK}
    found = {stream.key for stream in declared} - refused
    for stream in declared:
        if not found.issuperset(stream.needs):
            found.discard(stream.key)
    return tuple(stream.key for stream in declared if stream.key in found)


def out_of_reach(checks: Sequence[CheckResult], declared: Sequence[Stream]) -> tuple[str, ...]:
    """The streams that a secret of this kind can never read, and those that need them."""
    found = {check.stream for check in checks if check.never and check.stream}
    for stream in declared:
        if found.intersection(stream.needs):
            found.add(stream.key)
    return tuple(stream.key for stream in declared if stream.key in found)


def summary(checks: Sequence[CheckResult], streams: Collection[str]) -> str:
    """One sentence or two above the grid: “6 of 7 checks pass. The token lacks …”"""
    asked = [check for check in checks if counts(check, streams)]
    passed = sum(check.outcome == OK for check in asked)
    decisive = deciding(checks, streams)
    if decisive is None:
        return f"All {passed} checks pass."
    scopes = missing_scopes(checks, streams)
    told = decisive.message
    if decisive.outcome == "invalid_permissions" and len(scopes) > len(decisive.missing_scopes):
        told = f"The secret {lacks(scopes)}."
    return f"{passed} of {len(asked)} checks pass. {told}" if passed else told
