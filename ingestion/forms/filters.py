"""Filters of lists. They live in the address; what is wrong is named and left out."""

from functools import cached_property
from typing import Any

from django import forms

from connections.connectors import connectors
from connections.models import Connection
from connections.selectors import deleted_connections
from ingestion.models import (
    Commit,
    Delivery,
    Deployment,
    Person,
    PipelineRun,
    PullRequest,
    Repository,
    State,
    Sync,
)
from ingestion.selectors.connections import connections_of
from ingestion.words.deliveries import EVENTS
from tenants.models import Organization

BIGGEST = 2**63 - 1
ANY = ("", "All")


class Filter(forms.Form):
    """A form that reads the address. `values` holds what was given and is right."""

    use_required_attribute = False

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    sort = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, organization: Organization, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.organization = organization
        self.set_up()
        self.is_valid()

    def set_up(self) -> None:
        """Fill choices that hang on the organization."""

    @property
    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the order was chosen."""
        return any(name != "sort" for name in self.values)

    @property
    def hidden_errors(self) -> list[str]:
        """What is wrong with filters that have no field on the page."""
        hidden = {field.name: field.errors for field in self.hidden_fields()}
        return [f"{name}: {error}" for name, errors in hidden.items() for error in errors]

    @property
    def status(self) -> int:
        """The HTTP status of the list: 400 where a filter makes no sense."""
        return 400 if self.errors else 200


class ConnectionFilter(Filter):
    """Filters of the connections list."""

    connector = forms.ChoiceField(label="Connector", required=False)
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[ANY, *Connection.Status.choices, ("syncing", "Syncing")],
    )
    tag = forms.CharField(
        label="Tag",
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"placeholder": "env=prod"}),
    )

    def set_up(self) -> None:
        kinds = [(key, connector.label) for key, connector in connectors().items()]
        self.fields["connector"].choices = [ANY, *kinds]  # type: ignore[attr-defined]  # a choice field


class OfConnection(Filter):
    """Filters of lists that hold rows of several connections."""

    connection = forms.TypedChoiceField(
        label="Connection", required=False, coerce=int, empty_value=None
    )

    def set_up(self) -> None:
        known = [*connections_of(self.organization).values_list("pk", "name").order_by("name")]
        gone = deleted_connections(self.organization).values_list("pk", "name")
        known += [(pk, f"{name} (deleted)") for pk, name in gone]
        self.fields["connection"].choices = [ANY, *known]  # type: ignore[attr-defined]  # a choice field


class SyncFilter(OfConnection):
    """Filters of the list of all syncs."""

    q = None  # type: ignore[assignment]  # Django's way to drop an inherited field
    state = forms.ChoiceField(label="State", required=False, choices=[ANY, *State.choices])


class DeliveryFilter(OfConnection):
    """Filters of the inbox."""

    q = None  # type: ignore[assignment]  # Django's way to drop an inherited field
    event = forms.ChoiceField(label="Event", required=False, choices=[ANY, *EVENTS.items()])
    state = forms.ChoiceField(
        label="Outcome", required=False, choices=[ANY, *Delivery.State.choices]
    )


class SyncsOfConnectionFilter(Filter):
    """Filters of one connection's syncs."""

    q = None  # type: ignore[assignment]  # Django's way to drop an inherited field
    state = forms.ChoiceField(label="State", required=False, choices=[ANY, *State.choices])


class RepositoriesOfConnectionFilter(Filter):
    """Filters of one connection's repositories."""

    state = forms.ChoiceField(
        label="Which",
        required=False,
        choices=[
            ANY,
            ("selected", "Synced"),
            ("left_out", "Left out"),
            ("failed", "With an error"),
            ("gone", "Gone at Bitbucket"),
        ],
    )


class RecordFilter(OfConnection):
    """What all lists of records share."""

    gone = forms.ChoiceField(
        label="Gone at Bitbucket",
        required=False,
        choices=[("", "Left out"), ("with", "Shown too"), ("only", "Only these")],
    )


class RepositoryFilter(RecordFilter):
    """Filters of the repositories."""


class PersonFilter(RecordFilter):
    """Filters of the people."""


class InRepository(RecordFilter):
    """Filters of records that stand in a repository; it is chosen on the repositories list."""

    repository = forms.IntegerField(
        required=False, min_value=1, max_value=BIGGEST, widget=forms.HiddenInput
    )

    @cached_property
    def chosen_repository(self) -> Repository | None:
        """The repository that the address names, of this organization."""
        found: Repository | None = self._chosen(Repository, "repository")
        return found

    def _chosen(self, model: type[Any], name: str) -> Any:
        if name not in self.values:
            return None
        return (
            model.objects.for_organization(self.organization).filter(pk=self.values[name]).first()
        )


class ByAuthor(InRepository):
    """Filters of records that have an author, who is chosen in the list."""

    author = forms.IntegerField(
        required=False, min_value=1, max_value=BIGGEST, widget=forms.HiddenInput
    )

    @cached_property
    def chosen_author(self) -> Person | None:
        """The person that the address names, of this organization."""
        found: Person | None = self._chosen(Person, "author")
        return found


class PullRequestFilter(ByAuthor):
    """Filters of the pull requests."""

    field_order = ("q", "state", "connection", "gone")

    state = forms.ChoiceField(
        label="State", required=False, choices=[ANY, *PullRequest.State.choices]
    )


class CommitFilter(ByAuthor):
    """Filters of the commits."""

    field_order = ("q", "connection", "gone")


class PipelineFilter(InRepository):
    """Filters of the pipelines."""

    field_order = ("q", "result", "connection", "gone")

    result = forms.ChoiceField(
        label="Result",
        required=False,
        choices=[
            ANY,
            ("SUCCESSFUL", "Successful"),
            ("FAILED", "Failed"),
            ("ERROR", "Error"),
            ("STOPPED", "Stopped"),
            ("EXPIRED", "Expired"),
        ],
    )


class DeploymentFilter(InRepository):
    """Filters of the deployments."""

    field_order = ("q", "environment_type", "result", "connection", "gone")

    environment_type = forms.ChoiceField(
        label="Environment",
        required=False,
        choices=[ANY, *((kind, kind) for kind in ("Test", "Staging", "Production"))],
    )
    result = forms.ChoiceField(
        label="Result",
        required=False,
        choices=[
            ANY,
            ("SUCCESSFUL", "Successful"),
            ("FAILED", "Failed"),
            ("STOPPED", "Stopped"),
        ],
    )


FILTERS: dict[type, type[Filter]] = {
    Repository: RepositoryFilter,
    PullRequest: PullRequestFilter,
    PipelineRun: PipelineFilter,
    Person: PersonFilter,
    Deployment: DeploymentFilter,
    Commit: CommitFilter,
    Sync: SyncFilter,
}
