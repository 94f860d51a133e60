"""Which streams to sync, in the same words wherever it is asked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django import forms

from connections.connectors.base import Connector, Stream


@dataclass(frozen=True, kw_only=True)
class StreamChoice:
    """A stream as it is offered."""

    stream: Stream
    ticked: bool
    withheld: str  # why it cannot be chosen; empty where it can
    needs: list[str]  # labels of the streams that come with it


class StreamsForm(forms.Form):
    """The streams that a connection syncs, each with all that it needs."""

    streams = forms.MultipleChoiceField(
        label="What to sync", widget=forms.CheckboxSelectMultiple, required=False
    )
    connector: Connector
    withheld: Mapping[str, str]

    def keep_streams(
        self, connector: Connector, chosen: Collection[str], withheld: Mapping[str, str]
    ) -> None:
        """Begin with what is chosen. What is withheld, each with a sentence why, is only shown."""
        self.connector, self.withheld = connector, withheld
        offered = [(s.key, s.label) for s in connector.streams if s.key not in withheld]
        self.fields["streams"].choices = offered  # type: ignore[attr-defined]  # a choice field
        self.initial["streams"] = list(chosen)

    @property
    def stream_choices(self) -> list[StreamChoice]:
        """Each stream with whether it is ticked, and why it cannot be."""
        ticked = set(self["streams"].value() or ())
        labels = {stream.key: stream.label for stream in self.connector.streams}
        return [
            StreamChoice(
                stream=stream,
                ticked=stream.key in ticked and stream.key not in self.withheld,
                withheld=self.withheld.get(stream.key, ""),
                needs=[labels.get(key, key) for key in stream.needs],
            )
            for stream in self.connector.streams
        ]

    def clean_streams(self) -> list[str]:
        """The streams with all that they need, in their order."""
        chosen = self.connector.with_needed(self.cleaned_data["streams"])
        missing = [
            stream.label
            for stream in self.connector.streams
            if stream.key in chosen and stream.key in self.withheld
        ]
        if missing:
            told = (
                f"What is ticked needs {', '.join(missing).lower()}, which cannot be chosen here."
            )
            raise forms.ValidationError(told)
        return chosen
