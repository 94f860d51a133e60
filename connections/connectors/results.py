"""What single checks found."""

from dataclasses import dataclass, field
from typing import Any, Self

from connections.connectors.declarations import Check


@dataclass(kw_only=True)
class CheckResult:
    """What one check found. Serialized as it stands into Verification.checks."""

    name: str
    label: str
    method: str = "GET"
    path: str = ""
    stream: str = ""
    required: bool = False
    optional: bool = False
    never: bool = False  # no secret of this kind can do it: it is told, and decides nothing
    state: str = "waiting"  # waiting, asking, done, skipped
    status: int | None = None
    ms: int | None = None
    outcome: str = ""  # ok, or one of Verification.Outcome
    missing_scopes: list[str] = field(default_factory=list)
    granted_scopes: list[str] = field(default_factory=list)
    message: str = ""
    mended_by: str = ""
    curl: str = ""
    removal: dict[str, Any] | None = None  # of transport.removals.Removal: its endpoint ends

    @classmethod
    def waiting(cls, check: Check) -> Self:
        """A check before it is asked."""
        return cls(
            name=check.name,
            label=check.label,
            path=check.path,
            stream=check.stream,
            required=check.required,
            optional=check.optional,
        )

    @property
    def is_removed(self) -> bool:
        """Whether its endpoint is no more, which no secret can change."""
        return bool(self.removal and self.removal.get("is_over"))

    def finish(self, outcome: str, message: str = "", *, mended_by: str = "") -> None:
        """Note how it ended."""
        self.state, self.outcome, self.message = "done", outcome, message
        self.mended_by = mended_by
        if outcome == "ok":
            self.missing_scopes = []

    def skip(self, why: str) -> None:
        """Note that it was not asked."""
        self.state, self.message = "skipped", f"Not asked: {why}."

    def pass_over(self, why: str) -> None:
        """Note that no secret of this kind can do it."""
        self.state, self.outcome, self.message = "skipped", "", why
        self.never, self.missing_scopes = True, []
