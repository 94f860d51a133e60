"""Forms made of what a connector declares. A secret that was typed never comes back as HTML."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from connections.connectors.base import Field

KEPT = "kept, type to replace"
AGAIN = "What was typed is not put back into a page: type it again."
# A secret travels in an HTTP header: one line, no spaces, nothing outside of ASCII.
one_word = RegexValidator(
    r"\A[\x21-\x7e]+\Z", "This has spaces or other characters that no token has. Paste it again."
)


class EntryForm(forms.Form):
    """The settings and secrets with which a connector is entered."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        declared: Iterable[Field],
        initial: Mapping[str, Any] | None = None,
        kept: Collection[str] = (),
    ) -> None:
        """`kept` names the secrets that are stored already: leaving them blank keeps them."""
        super().__init__(data, initial=dict(initial or {}))
        self.declared = tuple(declared)
        for field in self.declared:
            is_typed = field.secret and bool(self.data.get(field.name))
            stays = field.name in kept
            self.fields[field.name] = form_field(field, kept=stays, is_typed=is_typed)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that were typed, by name; left-out ones are not in it."""
        return self._typed(secret=False)

    @property
    def secrets(self) -> dict[str, str] | None:
        """The secrets that were typed, or None where the stored ones stay."""
        return self._typed(secret=True) or None

    def refuse(self, fields: Mapping[str, str]) -> None:
        """Show what a service said of single fields (`settings.workspace`: a sentence)."""
        for name, message in fields.items():
            short = name.rpartition(".")[2]
            self.add_error(short if short in self.fields else None, message)

    def _typed(self, *, secret: bool) -> dict[str, str]:
        names = [field.name for field in self.declared if field.secret is secret]
        values = {name: self.cleaned_data.get(name) or "" for name in names}
        return {name: value for name, value in values.items() if value}


class CredentialForm(EntryForm):
    """A further credential, or a new secret for one: the method's fields, and our own notes."""

    label = forms.CharField(
        label="Name",
        max_length=100,
        required=False,
        help_text="What this credential is called here. Empty: a name made of its kind and owner.",
    )
    expiration_date = forms.DateField(
        label="Expires on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The date that Atlassian showed when the token was made. "
        "A reminder appears here before it comes.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [name for name in self.fields if name not in ("label", "expiration_date")]
        self.order_fields([*own, "label", "expiration_date"])


class PasteForm(EntryForm):
    """Any secret in one field; and, once it is known what it is, what is missing beside it."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        declared: Iterable[Field],
        initial: Mapping[str, Any],
        kept: bool,
        workspaces: Collection[str] = (),
    ) -> None:
        """`workspaces`: those that it sees, to choose among."""
        super().__init__(data, declared=declared, initial=initial)
        self.is_kept = kept
        pasted = Field(
            name="secret",
            label="Secret",
            help="A token of any kind, also within a clone address or a curl command.",
            required=not kept,
            secret=True,
            max_length=10_000,
        )
        self.fields["secret"] = form_field(
            pasted, kept=kept, is_typed=bool(self.data.get("secret"))
        )
        self.fields["secret"].validators.remove(one_word)  # it is taken out of what was pasted
        if workspaces and "workspace" in self.fields:
            choices = [(name, name) for name in workspaces]
            self.fields["workspace"] = forms.ChoiceField(
                label="Workspace", choices=choices, widget=forms.RadioSelect
            )
        if {"workspace", "repository"} <= set(self.fields):
            self.fields["repository"].required = False
        elif "repository" in self.fields:
            self.fields["repository"].required = True
            self.fields["repository"].help_text = "Any address of it: bitbucket.org/acme/api"
        self.order_fields(["username", "workspace", "repository", "secret"])

    @property
    def pasted(self) -> str:
        """What was pasted; empty where the kept secret stays."""
        return str(self.cleaned_data.get("secret") or "")


class EntryField(forms.CharField):
    """A field made of a declared one."""

    is_kept = False  # a secret that is stored already: blank means that it stays


def form_field(field: Field, *, kept: bool = False, is_typed: bool = False) -> EntryField:
    """A form's field for a declared one. A secret that was typed is seen if the form comes back."""
    made = EntryField(
        label=field.label,
        help_text=AGAIN if is_typed else field.help,
        required=field.required and not kept,
        max_length=field.max_length,
        widget=_widget(field, kept=kept and not is_typed),
    )
    made.is_kept = kept
    if field.secret:
        made.validators.append(one_word)
    elif field.pattern:
        made.validators.append(RegexValidator(field.pattern, field.misfit))
    return made


def _widget(field: Field, *, kept: bool) -> forms.Widget:
    attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
    placeholder = KEPT if kept else field.placeholder
    if placeholder:
        attributes["placeholder"] = placeholder
    if field.secret:
        # render_value stays off: what was typed is never put back.
        return forms.PasswordInput(attrs={**attributes, "autocomplete": "new-password"})
    return forms.TextInput(attrs=attributes)
