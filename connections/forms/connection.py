"""Forms that change a connection."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.forms.schedule import CRON, INTERVALS, OFF, SCHEDULES, CronField
from connections.models import Connection


class SettingsForm(forms.Form):
    """The name and the schedule of a connection."""

    name = forms.CharField(label="Name", max_length=100)
    schedule = forms.ChoiceField(label="How often", choices=SCHEDULES, widget=forms.RadioSelect)
    cron = CronField()

    def __init__(self, data: Mapping[str, Any] | None = None, *, connection: Connection) -> None:
        kept = connection.schedule
        minutes = str(kept.get("minutes", ""))
        choice = minutes if kept.get("kind") == "every" else kept.get("kind", OFF)
        initial = {"name": connection.name, "schedule": choice, "cron": kept.get("cron", "")}
        super().__init__(data, initial=initial)
        self.timezone: str = kept.get("timezone") or connection.organization.timezone
        self.fields["cron"].tell_zone(self.timezone)  # type: ignore[attr-defined]  # a CronField
        if minutes and minutes not in INTERVALS:
            self._offer(minutes)

    def _offer(self, minutes: str) -> None:
        """An interval set over the API, which is none of ours, can be kept."""
        field = self.fields["schedule"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [*field.choices, (minutes, f"Every {minutes} minutes")]  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if (
            cleaned.get("schedule") == CRON
            and not cleaned.get("cron")
            and "cron" not in self.errors
        ):
            raise ValidationError({"cron": "Say when, as a cron expression."})
        return cleaned

    @property
    def chosen_schedule(self) -> dict[str, Any]:
        """The schedule as a connection keeps it."""
        choice = self.cleaned_data["schedule"]
        if choice == OFF:
            return {"kind": OFF}
        if choice == CRON:
            return {"kind": CRON, "cron": self.cleaned_data["cron"], "timezone": self.timezone}
        return {"kind": "every", "minutes": int(choice)}


class DeleteForm(forms.Form):
    """Asks for the name of what is to be deleted."""

    confirm = forms.CharField(label="Name of the connection", max_length=100, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, connection: Connection) -> None:
        super().__init__(data)
        self.connection = connection

    def clean_confirm(self) -> str:
        name: str = self.cleaned_data["confirm"]
        if name != self.connection.name:
            raise ValidationError(f"Type “{self.connection.name}” to delete it.")
        return name
