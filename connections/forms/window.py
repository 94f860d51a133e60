"""How much history to sync, in the same words wherever it is asked."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

ALL, DAY = "all", "date"
SINCE_A_DAY = "Since a date"
LENGTHS = (30, 90, 180)  # days
WINDOWS = (
    (ALL, "Everything"),
    *((str(days), f"The last {days} days") for days in LENGTHS),
    (DAY, SINCE_A_DAY),
)


class DayField(forms.DateField):
    """A day. It is asked for beside `WINDOWS`, and needed for one of them."""

    needed_for = SINCE_A_DAY

    def __init__(self) -> None:
        super().__init__(
            label="Date",
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )


class LengthField(forms.ChoiceField):
    """How long the window is; left out, it stays as it is."""

    is_kept = True

    def __init__(self) -> None:
        super().__init__(
            label="History",
            choices=WINDOWS,
            required=False,
            widget=forms.RadioSelect,
            help_text="Pull requests by their last change, pipelines by their start. "
            "What is synced already stays.",
        )


class WindowForm(forms.Form):
    """From when on things are synced. A number of days becomes the day on which they begin."""

    window = LengthField()
    since = DayField()
    today: date
    kept: str | None

    def keep_window(self, since: str | None, *, timezone: str) -> None:
        """Begin with the window that is kept; `timezone` says what day it is."""
        self.kept, self.today = since, datetime.now(ZoneInfo(timezone)).date()
        day = date.fromisoformat(since) if since else None
        length = str((self.today - day).days) if day else ALL
        self.initial["window"] = length if length in dict(WINDOWS) else DAY
        self.initial["since"] = day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("window") == DAY and "since" in cleaned:
            day = cleaned["since"]
            if day is None:
                self.add_error("since", "Give the day on which it begins.")
            elif day > self.today:
                self.add_error("since", "This day is still to come.")
        return cleaned

    @property
    def chosen_since(self) -> str | None:
        """The first day of the window as a selection keeps it; None for everything."""
        choice = self.cleaned_data["window"]
        if not choice:
            return self.kept
        if choice == ALL:
            return None
        if choice == DAY:
            day: date = self.cleaned_data["since"]
            return day.isoformat()
        return (self.today - timedelta(days=int(choice))).isoformat()
