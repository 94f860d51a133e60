"""Which word, shape and tone a state has on pages. Never colour alone."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from django.utils import timezone

from tenants import formats

Tone = Literal["good", "busy", "attention", "bad", "idle"]


class Badge(TypedDict):
    tone: Tone
    shape: str
    label: str


def badge(tone: Tone, shape: str, label: str) -> Badge:
    return Badge(tone=tone, shape=shape, label=label)


CONNECTIONS = {
    "pending": badge("idle", "◌", "Not finished"),
    "available": badge("good", "●", "Connected"),
    "error": badge("attention", "▲", "Needs you"),
    "disabled": badge("idle", "○", "Paused"),
}
CREDENTIALS = {
    "active": badge("good", "●", "Active"),
    "expired": badge("attention", "▲", "Expired"),
    "invalid": badge("bad", "✕", "Refused"),
    "limited": badge("attention", "▲", "Lacks a scope"),
    "disabled": badge("idle", "○", "Off"),
}
STATES = {
    "queued": badge("idle", "◌", "Queued"),
    "running": badge("busy", "◐", "Syncing"),
    "waiting": badge("attention", "◷", "Waiting"),
    "succeeded": badge("good", "✓", "Complete"),
    "partial": badge("attention", "◑", "Incomplete"),
    "failed": badge("bad", "✕", "Failed"),
    "cancelled": badge("idle", "–", "Stopped"),
}


def of_connection(status: str) -> Badge:
    return CONNECTIONS.get(status) or badge("idle", "○", status)


def of_credential(status: str) -> Badge:
    return CREDENTIALS.get(status) or badge("idle", "○", status)


def of_state(state: str) -> Badge:
    return STATES.get(state) or badge("idle", "○", state)


def of_sync(sync: Any, failed: int | None = None, total: int | None = None) -> Badge:
    """A sync's state with what it waits for, or how much is missing."""
    if sync.state == "waiting":
        return _waiting(sync)
    if sync.state == "partial" and failed and total:
        part = f"Incomplete: {formats.number(failed)} of {formats.number(total)}"
        return badge("attention", "◑", part)
    return of_state(sync.state)


def of_check(check: Mapping[str, Any]) -> Badge:
    """A check's state, then its HTTP status."""
    state, outcome = check.get("state", "waiting"), check.get("outcome", "")
    if state == "asking":
        return badge("busy", "◐", "asking")
    if state == "skipped":
        return badge("idle", "–", "left out")
    if state != "done":
        return badge("idle", "○", "waiting")
    status = str(check.get("status") or "no answer")
    if outcome in {"", "ok"}:
        return badge("good", "✓", status)
    if check.get("optional"):
        return badge("attention", "▲", status)
    return badge("bad", "✕", status)


def _waiting(sync: Any) -> Badge:
    if sync.reason == "turn":
        return badge("idle", "◷", "Waiting its turn")
    if sync.resume_at is None:
        return of_state("waiting")
    until = formats.clock(sync.resume_at, timezone.now())
    return badge("attention", "◷", f"Waiting until {until}")
