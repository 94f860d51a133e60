"""What the pages of tenants ask for. Services check it again."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.timezone import now

from tenants.models import Organization, Scope, User
from tenants.roles import Role, at_most
from tenants.services.errors import Refused
from tenants.services.fields import LONGEST_NAME, time_zones

LONGEST_OWN_NAME = 150  # of a person


class ServiceForm(forms.Form):
    """A form whose service may refuse a value; the refusal stands beside its field."""

    def refuse(self, refused: Refused) -> None:
        """Show why the service refused."""
        for name, message in refused.fields.items():
            self.add_error(name if name in self.fields else None, message)
        if not refused.fields:
            self.add_error(None, refused.message)


def _zones(otherwise: str = "") -> list[tuple[str, str]]:
    first = [("", otherwise)] if otherwise else []
    return [*first, *((zone, zone.replace("_", " ")) for zone in time_zones())]


class OrganizationForm(ServiceForm):
    name = forms.CharField(max_length=LONGEST_NAME, help_text="As people here call it.")
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=_zones,
        initial="UTC",
        help_text="Schedules run by its clock; dates are shown in it.",
    )

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationForm":
        """The form, filled with what is there."""
        return cls(initial={"name": organization.name, "timezone": organization.timezone})


class InvitationForm(ServiceForm):
    role = forms.ChoiceField(
        choices=[
            (Role.VIEWER, "Viewer: reads pages and records"),
            (Role.ADMIN, "Admin: also connects, syncs, makes API keys"),
            (Role.OWNER, "Owner: also manages members and the organization"),
        ],
        initial=Role.VIEWER,
    )
    email = forms.EmailField(
        label="Their e-mail",
        required=False,
        help_text="It is filled in when they make an account. "
        "Anyone who has the link can use it, once, for seven days.",
    )


class RoleForm(ServiceForm):
    role = forms.ChoiceField(choices=Role.choices)


class ApiKeyForm(ServiceForm):
    """A new key. `ceiling` is its maker's role."""

    DAYS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year"), (0, "never"))

    name = forms.CharField(max_length=LONGEST_NAME, help_text="What will use it: terraform, CI.")
    role = forms.ChoiceField(help_text="It can do no more than this role, and no more than you.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.label} ({scope.value})") for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(label="Ends after", choices=DAYS, coerce=int, initial=90)

    def __init__(self, *args: Any, ceiling: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        allowed = [choice for choice in Role.choices if at_most(choice[0], ceiling)]
        role.choices = allowed  # type: ignore[attr-defined]
        role.initial = Role.ADMIN if at_most(Role.ADMIN, ceiling) else ceiling

    @property
    def expires_at(self) -> datetime | None:
        """When the key ends; None: never."""
        days: int = self.cleaned_data["days"]
        return now() + timedelta(days=days) if days else None


class AccessKeyForm(ApiKeyForm):
    """A new access key, which by default can do what AWS's commands need."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].initial = [Scope.CONNECTIONS_READ, Scope.CONNECTIONS_WRITE]


class SignUpForm(forms.Form):
    """What sign-up asks for beside allauth's own fields, which follow it."""

    field_order = ("name", "email", "password1")

    name = forms.CharField(
        max_length=LONGEST_OWN_NAME,
        required=False,
        help_text="As colleagues see it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Nothing is left to do: `AccountAdapter` keeps the name with the account."""


class AccountForm(ServiceForm):
    name = forms.CharField(
        max_length=LONGEST_OWN_NAME, required=False, help_text="As colleagues see it."
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: _zones("As the organization"),
        required=False,
        help_text="Dates are shown in it.",
    )
    theme = forms.ChoiceField(choices=User.Theme.choices)

    @classmethod
    def of(cls, user: User) -> "AccountForm":
        """The form, filled with what is there."""
        return cls(initial={"name": user.name, "timezone": user.timezone, "theme": user.theme})
