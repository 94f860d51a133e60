"""Forms that change a connection."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.forms.schedule import ScheduleForm
from connections.forms.window import WindowForm
from connections.models import Connection


class SettingsForm(WindowForm, ScheduleForm):
    """The name, the schedule and the history window of a connection."""

    name = forms.CharField(label="Name", max_length=100)
    field_order = ("name", "schedule", "cron", "window", "since")

    def __init__(self, data: Mapping[str, Any] | None = None, *, connection: Connection) -> None:
        super().__init__(data, initial={"name": connection.name})
        timezone = connection.organization.timezone
        self.keep(connection.schedule, timezone=timezone, connector=connection.connector)
        self.keep_window(connection.selection.get("since"), timezone=timezone)


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
