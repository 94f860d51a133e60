"""The wizard's last step: streams, repositories, history, schedule, name."""

from typing import Any

from django import forms

from connections.connectors import connector as connector_of
from connections.forms.schedule import ScheduleForm
from connections.forms.streams import StreamsForm
from connections.forms.window import WindowForm
from connections.models import Draft
from ingestion.forms.patterns import PatternsForm
from ingestion.selectors.streams import streams_of

LEFT_OUT = "Left out: the secret lacks a permission for it, as the checks showed."
HOURLY = {"kind": "every", "minutes": 60}
ALL, CHOSEN, PATTERNS = "all", "chosen", "patterns"


class ChooseForm(PatternsForm, StreamsForm, WindowForm, ScheduleForm):
    """What a new connection syncs, and when."""

    name = forms.CharField(label="Name", max_length=100)
    mode = forms.ChoiceField(
        label="Repositories",
        choices=(
            (ALL, "All, with those to come"),
            (CHOSEN, "Only those ticked below"),
            (PATTERNS, "By name, with those to come"),
        ),
        widget=forms.RadioSelect,
        initial=ALL,
    )
    repositories = forms.MultipleChoiceField(
        label="Repositories", widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, draft: Draft, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id="choose-%s")
        self.draft = draft
        ids = [(r["id"], r["name"]) for r in draft.repositories]
        self.fields["repositories"].choices = ids  # type: ignore[attr-defined]  # a choice field
        if draft.parent_id:  # they are chosen there
            for name in ("mode", "repositories", "include", "exclude"):
                del self.fields[name]
        timezone = draft.organization.timezone
        typed = dict(self.initial)
        withheld = dict.fromkeys(draft.left_out, LEFT_OUT)
        self.keep_streams(connector_of(draft.connector), (), withheld)
        self.keep_patterns(_repositories(draft))
        self.keep(draft.schedule or HOURLY, timezone=timezone, connector=draft.connector)
        self.keep_window((draft.selection or {}).get("since"), timezone=timezone)
        self.initial.update(typed)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("mode") == CHOSEN and "repositories" in values and not values["repositories"]:
            self.add_error("repositories", "Tick at least one repository.")
        return values

    def preselect(self, minutes: str) -> None:
        """Choose a schedule in place of the one that was sent."""
        self.cleaned_data["schedule"] = minutes

    def typed(self) -> dict[str, Any]:
        """What was sent, to be shown again in a form that says nothing against it."""
        names = ("name", "mode", "include", "exclude", "window", "since", "cron")
        values = {name: self.data.get(name, "") for name in names}
        chosen = [name for name in ("streams", "repositories") if name in self.fields]
        lists = {name: self[name].data for name in chosen}
        lists |= {field.name: field.data for field in self.own_intervals}
        schedule = self.cleaned_data.get("schedule", self.data.get("schedule", ""))
        return {**values, **lists, "schedule": schedule}

    def selection(self) -> dict[str, Any]:
        """The choice as a connection keeps it. What is not asked here stays as the API set it."""
        values = self.cleaned_data
        mode = values.get("mode", ALL)
        repositories: dict[str, Any] = {"mode": mode}
        if mode == CHOSEN:
            repositories["ids"] = values["repositories"]
        elif mode == PATTERNS:
            repositories = self.chosen_patterns()
        return {
            "repositories": repositories,
            "streams": values["streams"],
            "since": self.chosen_since,
        }


def initial_of(draft: Draft) -> dict[str, Any]:
    """What the form shows at first: what was chosen before, else all that is usual."""
    repositories = _repositories(draft)
    streams = [stream.key for stream in streams_of(draft.connector) if stream.usual]
    return {
        "name": draft.name or draft.place or "Bitbucket",
        "streams": (draft.selection or {}).get("streams") or streams,
        "mode": repositories.get("mode") or ALL,
        "repositories": repositories.get("ids") or [],
    }


def _repositories(draft: Draft) -> dict[str, Any]:
    return (draft.selection or {}).get("repositories") or {}
