"""How often to sync, in the same words wherever it is asked."""

from collections.abc import Mapping
from typing import Any

from django import forms

from connections.connectors import connector as connector_of
from connections.connectors.base import Connector
from connections.connectors.schema import InvalidFields
from connections.services.schedules import LESS_OFTEN, clean_schedule

OFF, CRON = "off", "cron"
AT_SET_TIMES = "At set times"
INTERVALS = {
    "15": "Every 15 minutes",
    "60": "Every hour",
    "360": "Every 6 hours",
    "1440": "Once a day",
}
OWN = "every_"  # before the name of a stream: how often it is read
OWN_INTERVALS = {
    "0": "With every sync",
    "360": "Every 6 hours",
    "1440": "Once a day",
    "10080": "Once a week",
}
SCHEDULES = (*INTERVALS.items(), (CRON, AT_SET_TIMES), (OFF, "Only when somebody starts it"))


class CronField(forms.CharField):
    """A cron expression. It is asked for beside `SCHEDULES`, and needed for one of them."""

    needed_for = AT_SET_TIMES

    def __init__(self) -> None:
        super().__init__(
            label="Cron expression",
            max_length=100,
            required=False,
            help_text="Minute, hour, day, month, weekday: "
            "“0 6 * * 1-5” is every working day at six.",
            widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        )

    def tell_zone(self, timezone: str) -> None:
        """Say by whose clock it runs."""
        self.help_text = f"{self.help_text} By the clock of {timezone.replace('_', ' ')}."

    def clean(self, value: object) -> str:
        return " ".join(str(super().clean(value)).split())


class OwnInterval(forms.ChoiceField):
    """How often one stream is read. Left out, it stays as it is."""

    is_kept = True

    def __init__(self, label: str, kept: int) -> None:
        choices = list(OWN_INTERVALS.items())
        if str(kept) not in OWN_INTERVALS:
            choices.append((str(kept), f"Every {kept} minutes"))
        super().__init__(
            label=f"{label}, at most", choices=choices, required=False, initial=str(kept)
        )

    def clean(self, value: object) -> str:
        return super().clean(value) or str(self.initial)


class ScheduleForm(forms.Form):
    """How often a connection is synced: an interval, set times, or only when somebody starts it."""

    schedule = forms.ChoiceField(label="How often", choices=SCHEDULES, widget=forms.RadioSelect)
    cron = CronField()
    timezone: str
    kind_of: Connector

    def keep(self, schedule: Mapping[str, Any], *, timezone: str, connector: str) -> None:
        """Begin with the schedule that is kept. An interval that is none of ours can stay.

        `timezone` is the organization's, for a schedule that names none itself.
        """
        self.kind_of = connector_of(connector)
        for stream in self.kind_of.streams:
            if stream.interval is not None:
                kept = (schedule.get(LESS_OFTEN) or {}).get(stream.key, stream.interval)
                self.fields[OWN + stream.key] = OwnInterval(stream.label, kept)
        self.timezone = schedule.get("timezone") or timezone
        self.fields["cron"].tell_zone(self.timezone)  # type: ignore[attr-defined]  # a CronField
        minutes = str(schedule.get("minutes", ""))
        if minutes and minutes not in INTERVALS:
            self._offer(minutes)
        self.initial["schedule"] = minutes or schedule.get("kind", OFF)
        self.initial["cron"] = schedule.get("cron", "")

    def _offer(self, minutes: str) -> None:
        field = self.fields["schedule"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [*field.choices, (minutes, f"Every {minutes} minutes")]  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("schedule") == CRON and "cron" in cleaned:
            try:
                clean_schedule(self.chosen_schedule, self.kind_of)
            except InvalidFields as wrong:
                self.add_error("cron", " ".join(wrong.fields.values()))
        return cleaned

    @property
    def chosen_schedule(self) -> dict[str, Any]:
        """The schedule as a connection keeps it."""
        choice = self.cleaned_data["schedule"]
        if choice == OFF:
            return {"kind": OFF}
        if choice == CRON:
            cron = {"cron": self.cleaned_data["cron"], "timezone": self.timezone}
            return {"kind": CRON, **cron, **self._less_often()}
        return {"kind": "every", "minutes": int(choice), **self._less_often()}

    @property
    def own_intervals(self) -> list[forms.BoundField]:
        """The fields that ask how often single streams are read."""
        return [self[name] for name in self.fields if name.startswith(OWN)]

    def _less_often(self) -> dict[str, Any]:
        changed = {}
        for stream in self.kind_of.streams:
            if stream.interval is not None:
                minutes = int(self.cleaned_data[OWN + stream.key])
                if minutes != stream.interval:
                    changed[stream.key] = minutes
        return {LESS_OFTEN: changed} if changed else {}
