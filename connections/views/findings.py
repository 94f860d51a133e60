"""What a verification found, in the words of a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from connections.connectors.base import CheckResult, Connector, Stream
from connections.connectors.findings import (
    OK,
    available,
    counts,
    deciding,
    failing,
    from_row,
    summary,
)
from connections.models import Connection, Draft, Verification
from connections.services.selections import copied_streams, needless_scopes
from connections.services.verification import draft_streams
from connections.views.whom import acting, acting_credential
from tenants.formats import listed

Tone = Literal["busy", "good", "attention", "bad"]
Outcome = Verification.Outcome

# For each way to fail as a whole: the way out.
WAYS_OUT: dict[str, str] = {
    Outcome.INVALID_CREDENTIALS: "Enter it again, or make a new one at Atlassian.",
    Outcome.INVALID_PERMISSIONS: "Make a token that has what is missing.",
    Outcome.NO_RESOURCES: "Give it access to a repository at Bitbucket, or enter another one.",
    Outcome.WORKSPACE_NOT_FOUND: "Check the name of the workspace, and that this was made for it.",
    Outcome.RATE_LIMITED: "Nothing is wrong with what you entered. Check again in a while.",
    Outcome.UNREACHABLE: "Waiting helps: check again in a minute.",
    Outcome.TLS_ERROR: "Whoever runs this installation has to mend it.",
    Outcome.BLOCKED_ADDRESS: "Whoever runs this installation says which addresses are allowed.",
    Outcome.UNEXPECTED_RESPONSE: "Check again in a minute. If it stays, it is at Bitbucket.",
}
OR_GO_ON = "Make a token that has what is missing, or go on without it."
LOST = "No worker was heard of for a minute. The check is sent again by itself, or ask anew."
MENDED_BY_TIME = {Outcome.RATE_LIMITED, Outcome.UNREACHABLE, Outcome.UNEXPECTED_RESPONSE}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A verification as a person reads it."""

    tone: Tone
    headline: str
    text: str
    checks: Sequence[dict[str, Any]]
    seconds: float | None
    without: tuple[Stream, ...]  # what one could go on without
    left_out: tuple[Stream, ...]
    is_mended_by_time: bool
    is_lost: bool = False
    who: str = ""  # who can mend it, where that is somebody else
    whom: str = ""  # what kind of secret it is, whom it acts as, what it sees
    needless: tuple[str, ...] = ()  # scopes that nothing needs

    @property
    def is_running(self) -> bool:
        return self.tone == "busy"

    @property
    def is_good(self) -> bool:
        return self.tone == "good"

    @property
    def refresh(self) -> str:
        """After how long the page looks again; never, where there is nothing to wait for."""
        return "700ms" if self.is_running else "5s" if self.is_lost else ""

    @property
    def without_names(self) -> str:
        """“pull requests and pipelines”: what hangs on one of them goes without saying."""
        keys = {stream.key for stream in self.without}
        return listed(one.label.lower() for one in self.without if not keys & set(one.needs))


def read_checks(
    *,
    connector: Connector,
    outcome: str,
    checks: Sequence[dict[str, Any]],
    streams: Iterable[str],
    left_out: Iterable[str] = (),
    seconds: float | None = None,
    workspace: str = "",
) -> Reading:
    """Make sentences of the checks for the wanted streams. A blank outcome: they still run.

    `workspace` is the one that is connected already; while one is being connected, there is none.
    """
    wanted = set(streams)
    results = [from_row(row) for row in checks]
    possible = set(available(results, connector.streams)) & wanted
    tone = _tone(outcome, failing(results, wanted), possible)
    can_go_on = tone == "attention" and not workspace
    return Reading(
        tone=tone,
        headline=_progress(results, wanted) if tone == "busy" else summary(results, wanted),
        text=_way_out(outcome, workspace, can_go_on) if tone in ("attention", "bad") else "",
        who=_who(results, wanted),
        checks=_shown(checks),
        seconds=seconds,
        without=_streams(connector, wanted - possible) if can_go_on else (),
        left_out=_streams(connector, set(left_out)),
        is_mended_by_time=outcome in MENDED_BY_TIME,
    )


def read_draft(draft: Draft, verification: Verification, connector: Connector) -> Reading:
    """The reading of a draft's verification."""
    if verification.is_lost:
        return _read_lost(connector, verification, left_out=draft.left_out)
    streams = draft_streams(connector, draft)
    found = draft.found
    reading = read_checks(
        connector=connector,
        outcome=verification.outcome,
        checks=verification.checks,
        streams=streams,
        left_out=draft.left_out,
        seconds=_seconds(verification),
    )
    if verification.finished_at is None or not draft.method:
        return reading
    method, kind = connector.method(draft.method), str(found.get("kind", ""))
    return replace(
        reading,
        whom=acting(method, kind, str(found.get("acts_as_name", "")), found.get("sees")),
        needless=connector.needless_scopes(
            found.get("scopes") or (), method=method.key, kind=kind, streams=streams
        ),
    )


def read_credential(
    connection: Connection, verification: Verification, connector: Connector
) -> Reading:
    """The reading of the verification of a credential."""
    if verification.is_lost:
        return _read_lost(connector, verification)
    credential = verification.credential
    reading = read_checks(
        connector=connector,
        outcome=verification.outcome,
        checks=verification.checks,
        streams=copied_streams(connection),
        seconds=_seconds(verification),
        workspace=connection.place,
    )
    if credential is None or verification.finished_at is None:
        return reading
    return replace(
        reading,
        whom=acting_credential(connector, credential, connection),
        needless=needless_scopes(credential),
    )


def _read_lost(
    connector: Connector, verification: Verification, left_out: Iterable[str] = ()
) -> Reading:
    """No worker took it, or the one that did is gone: nobody asks any more."""
    checks = [
        {**row, "state": "waiting"} if row["state"] == "asking" else row
        for row in verification.checks
    ]
    return Reading(
        tone="attention",
        headline="The check has stopped.",
        text=LOST,
        checks=_shown(checks),
        seconds=None,
        without=(),
        left_out=_streams(connector, set(left_out)),
        is_mended_by_time=True,
        is_lost=True,
    )


def _way_out(outcome: str, workspace: str, can_go_on: bool) -> str:
    """What to do about a failure, here."""
    if outcome == Outcome.WORKSPACE_NOT_FOUND and workspace:
        return f"The token has to be one for the workspace {workspace}."
    if outcome == Outcome.INVALID_PERMISSIONS and can_go_on:
        return OR_GO_ON
    return WAYS_OUT.get(outcome, "")


def _who(results: Sequence[CheckResult], wanted: set[str]) -> str:
    """Who can mend what decides, where that is nobody here."""
    decisive = deciding(results, wanted)
    is_at_bitbucket = decisive is not None and decisive.mended_by == "workspace_admin"
    return "An administrator of the workspace at Bitbucket can mend it." if is_at_bitbucket else ""


def _shown(checks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the grid; of those that fail alike, the first is unfolded."""
    shown, told = [], set()
    for row in checks:
        failed = row.get("outcome") not in ("", OK, None) and not row.get("optional")
        is_open = failed and row.get("message") not in told
        told.add(row.get("message") if failed else None)
        shown.append({**row, "path": _place(row.get("path", "")), "is_open": is_open})
    return shown


def _place(path: str) -> str:
    """An endpoint without its query, which the curl command has; nothing while it is open."""
    return "" if "{" in path else path.partition("?")[0]


def _seconds(verification: Verification) -> float | None:
    if verification.finished_at is None:
        return None
    return (verification.finished_at - verification.started_at).total_seconds()


def _tone(outcome: str, failed: list[CheckResult], possible: set[str]) -> Tone:
    if not outcome:
        return "busy"
    if not failed:
        return "good" if outcome in (OK, Outcome.INVALID_PERMISSIONS) else "bad"
    return "attention" if possible else "bad"


def _progress(results: Sequence[CheckResult], wanted: set[str]) -> str:
    asked = [result for result in results if counts(result, wanted)]
    done = sum(result.state == "done" for result in asked)
    return f"Asking Bitbucket: {done} of {len(asked)} answered." if asked else "Asking Bitbucket."


def _streams(connector: Connector, keys: set[str]) -> tuple[Stream, ...]:
    return tuple(stream for stream in connector.streams if stream.key in keys)
