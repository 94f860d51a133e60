"""Forms that change a connection."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.forms.schedule import ScheduleForm
from connections.models import Connection


class SettingsForm(ScheduleForm):
    """The name and the schedule of a connection."""

    name = forms.CharField(label="Name", max_length=100)

    def __init__(self, data: Mapping[str, Any] | None = None, *, connection: Connection) -> None:
        super().__init__(data, initial={"name": connection.name})
        self.keep(connection.schedule, timezone=connection.organization.timezone)


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
