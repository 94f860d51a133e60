"""Forms that change a connection."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.forms.schedule import ScheduleForm
from connections.forms.window import WindowForm
from connections.models import Connection


class SettingsForm(WindowForm, ScheduleForm):
    """The name, the schedule, the history window and the tags of a connection."""

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
        tags = "\n".join(str(tag) for tag in connection.tags.all())
        super().__init__(data, initial={"name": connection.name, "tags": tags})
        timezone = connection.organization.timezone
        self.keep(connection.schedule, timezone=timezone, connector=connection.connector)
        self.keep_window(connection.selection.get("since"), timezone=timezone)

    @property
    def chosen_tags(self) -> dict[str, str]:
        """The tags that stand in the lines; of a key that stands twice the last."""
        lines = (line.strip() for line in self.cleaned_data["tags"].splitlines())
        pairs = (line.partition("=") for line in lines if line)
        return {key.strip(): value.strip() for key, _, value in pairs}


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
