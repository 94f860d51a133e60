"""Forms that change a connection."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.connectors import connector as connector_of
from connections.forms.schedule import ScheduleForm
from connections.forms.streams import StreamsForm
from connections.forms.window import WindowForm
from connections.models import Connection
from connections.services.selections import wanted_streams


class SettingsForm(StreamsForm, WindowForm, ScheduleForm):
    """The name, the tags, the streams, the history window and the schedule of a connection."""

    name = forms.CharField(label="Name", max_length=100)
    tags = forms.CharField(
        label="Tags",
        required=False,
        max_length=20_000,
        help_text="One a line, as env=prod. The API finds connections by them.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    field_order = ("name", "tags", "window", "since", "schedule", "cron")

    def __init__(self, data: Mapping[str, Any] | None = None, *, connection: Connection) -> None:
        self.connection = connection
        tags = "\n".join(str(tag) for tag in connection.tags.all())
        super().__init__(data, initial={"name": connection.name, "tags": tags})
        timezone = connection.organization.timezone
        self.keep(connection.schedule, timezone=timezone, connector=connection.connector)
        self.keep_window(connection.selection.get("since"), timezone=timezone)
        self.wanted = wanted_streams(connector_of(connection.connector), connection.selection)
        self.keep_streams(connector_of(connection.connector), self.wanted, _handed_over(connection))

    @property
    def choices(self) -> dict[str, Any]:
        """What of the selection was changed; what was left out of the form stays."""
        changed: dict[str, Any] = {}
        if self.chosen_since != self.kept:
            changed["since"] = self.chosen_since
        if "streams" in self.data:
            over = {key for key in self.wanted if key in self.withheld}
            chosen = over.union(self.cleaned_data["streams"])
            if chosen != set(self.wanted):
                changed["streams"] = [
                    stream.key for stream in self.connector.streams if stream.key in chosen
                ]
        return changed

    @property
    def chosen_tags(self) -> dict[str, str]:
        """The tags that stand in the lines; of a key that stands twice the last."""
        lines = (line.strip() for line in self.cleaned_data["tags"].splitlines())
        pairs = (line.partition("=") for line in lines if line)
        return {key.strip(): value.strip() for key, _, value in pairs}


def _handed_over(connection: Connection) -> dict[str, str]:
    """The streams that a connection beneath this one syncs, each with a sentence that says so."""
    if not connection.handed_over:
        return {}
    beneath = connection.children.filter(deleted_at=None).order_by("id").first()
    told = f"{beneath.name} syncs it." if beneath else "A connection beneath this one syncs it."
    return dict.fromkeys(connection.handed_over, told)


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
