"""A choice of repositories by patterns, in the same words wherever it is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

MOST = 200  # patterns to a side
LONGEST = 300  # characters of one


class Patterns(forms.CharField):
    """Patterns, one on a line."""

    is_kept = True

    def __init__(self, label: str, help_text: str = "") -> None:
        attributes = {"rows": 3, "spellcheck": "false", "autocomplete": "off"}
        super().__init__(
            label=label,
            help_text=help_text,
            required=False,
            max_length=MOST * LONGEST,
            widget=forms.Textarea(attrs=attributes),
        )

    def clean(self, value: object) -> list[str]:
        lines = str(super().clean(value)).splitlines()
        found = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        if len(found) > MOST or any(len(one) > LONGEST for one in found):
            raise forms.ValidationError(
                f"At most {MOST} patterns of {LONGEST} characters, one on a line."
            )
        return found


class PatternsForm(forms.Form):
    """Which names are synced: those that fit, with those to come, less those that do not."""

    include = Patterns(
        "Names like", "One on a line: “api-*”, or “acme/web*” with the workspace. Empty: all."
    )
    exclude = Patterns("But not like")

    def keep_patterns(self, repositories: Mapping[str, Any]) -> None:
        """Begin with the patterns that are kept."""
        for name in ("include", "exclude"):
            self.initial.setdefault(name, "\n".join(repositories.get(name) or []))

    def chosen_patterns(self) -> dict[str, Any]:
        """The choice as a selection keeps it."""
        lists: dict[str, Sequence[str]] = {
            name: self.cleaned_data.get(name) or [] for name in ("include", "exclude")
        }
        return {"mode": "patterns", **lists}
