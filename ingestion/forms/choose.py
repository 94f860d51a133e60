"""The wizard's last step: streams, repositories, schedule, name."""

from typing import Any

from django import forms

from connections.connectors.schema import InvalidFields
from connections.forms.schedule import CRON, INTERVALS, OFF, SCHEDULES, CronField
from connections.models import Draft
from connections.services.schedules import clean_schedule
from ingestion.selectors.streams import streams_of

DEFAULT_PRESET = "60"
ALL, CHOSEN = "all", "chosen"


class ChooseForm(forms.Form):
    """What a new connection syncs, and when."""

    name = forms.CharField(label="Name", max_length=100)
    streams = forms.MultipleChoiceField(
        label="What to sync", widget=forms.CheckboxSelectMultiple, required=False
    )
    mode = forms.ChoiceField(
        label="Repositories",
        choices=((ALL, "All, with those to come"), (CHOSEN, "Only those ticked below")),
        widget=forms.RadioSelect,
        initial=ALL,
    )
    repositories = forms.MultipleChoiceField(
        label="Repositories", widget=forms.CheckboxSelectMultiple, required=False
    )
    preset = forms.ChoiceField(
        label="How often", choices=SCHEDULES, widget=forms.RadioSelect, initial=DEFAULT_PRESET
    )
    cron = CronField()

    def __init__(self, draft: Draft, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id="choose-%s")
        self.draft = draft
        self.known = streams_of(draft.connector)
        offered = [stream for stream in self.known if stream.key not in draft.left_out]
        self._offer("streams", [(stream.key, stream.label) for stream in offered])
        zone = draft.organization.timezone
        self.fields["cron"].tell_zone(zone)  # type: ignore[attr-defined]  # a CronField
        self._offer("repositories", [(r["id"], r["name"]) for r in draft.repositories])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]  # a choice field

    def clean_streams(self) -> list[str]:
        """The streams with all that they need, in their order."""
        chosen = set(self.cleaned_data["streams"])
        for stream in reversed(self.known):
            if stream.key in chosen:
                chosen.update(stream.needs)
        left_out = chosen & set(self.draft.left_out)
        if left_out:
            raise forms.ValidationError("What is chosen needs a part that the secret cannot read.")
        return [s.key for s in self.known if s.key in chosen or s.required]

    def clean(self) -> None:
        values = self.cleaned_data
        if values.get("mode") == CHOSEN and "repositories" in values and not values["repositories"]:
            self.add_error("repositories", "Tick at least one repository.")
        if values.get("preset") == CRON and "cron" in values:
            self._check_cron(values["cron"])

    def _check_cron(self, cron: str) -> None:
        try:
            clean_schedule({"kind": "cron", "cron": cron})
        except InvalidFields as wrong:
            self.add_error("cron", " ".join(wrong.fields.values()))

    def selection(self) -> dict[str, Any]:
        """The choice as a connection keeps it."""
        values = self.cleaned_data
        repositories: dict[str, Any] = {"mode": values["mode"]}
        if values["mode"] == CHOSEN:
            repositories["ids"] = values["repositories"]
        return {"repositories": repositories, "streams": values["streams"], "since": None}

    def schedule(self, timezone: str) -> dict[str, Any]:
        """The schedule as a connection keeps it."""
        preset = self.cleaned_data["preset"]
        if preset == OFF:
            return {"kind": OFF}
        if preset == CRON:
            return {"kind": CRON, "cron": self.cleaned_data["cron"], "timezone": timezone}
        return {"kind": "every", "minutes": int(preset)}


def initial_of(draft: Draft) -> dict[str, Any]:
    """What the form shows at first: what was chosen before, else everything, each hour."""
    chosen = draft.selection or {}
    repositories = chosen.get("repositories") or {}
    streams = [stream.key for stream in streams_of(draft.connector)]
    return {
        "name": draft.name or draft.settings.get("workspace") or "Bitbucket",
        "streams": chosen.get("streams") or streams,
        "mode": CHOSEN if repositories.get("mode") == CHOSEN else ALL,
        "repositories": repositories.get("ids") or [],
        "preset": _preset(draft.schedule or {}),
        "cron": (draft.schedule or {}).get("cron", ""),
    }


def _preset(schedule: dict[str, Any]) -> str:
    kind = schedule.get("kind")
    if kind in (OFF, CRON):
        return str(kind)
    minutes = str(schedule.get("minutes", DEFAULT_PRESET))
    return minutes if minutes in INTERVALS else DEFAULT_PRESET
