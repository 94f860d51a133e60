"""The choice of repositories on a connection's page."""

from typing import Any

from django import forms

from connections.models import Connection

ACTIONS = (("select", "Sync"), ("leave_out", "Leave out"), ("all", "All, with those to come"))
MOST = 1000


class Ids(forms.TypedMultipleChoiceField):
    """Any number of row ids."""

    def valid_value(self, value: Any) -> bool:
        text = str(value)
        return text.isascii() and text.isdecimal() and len(text) <= 18


class RepositoryChoice(forms.Form):
    """Which rows, and whether they are synced."""

    action = forms.ChoiceField(choices=ACTIONS)
    ids = Ids(coerce=int, required=False)

    def __init__(self, connection: Connection, data: Any) -> None:
        super().__init__(data)
        self.connection = connection

    def clean(self) -> None:
        ids = self.cleaned_data.get("ids", [])
        if self.cleaned_data.get("action") in ("select", "leave_out") and not ids:
            self.add_error("ids", "Tick at least one repository.")
        if len(ids) > MOST:
            self.add_error("ids", f"At most {MOST:,} at once.")

    def sentence(self) -> str:
        """What is wrong, in one line."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)
