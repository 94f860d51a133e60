"""The first two steps of connecting: what, and how."""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from connections import connectors
from connections.connectors.base import Field, Method
from connections.forms import EntryForm
from connections.models import Draft
from connections.services import drafts
from connections.services.errors import InvalidSettings
from connections.views.base import (
    ConnectionView,
    WizardView,
    about_method,
    begin_checks,
)
from tenants.roles import Permission
from tenants.views.base import OrganizationView

PASTED = Field(
    name="secret",
    label="Secret",
    help="What kind it is shows in its first letters.",
    secret=True,
    kind="password",
    max_length=4096,
)


class What(OrganizationView):
    """Which kind of thing to connect."""

    permission = Permission.CONNECT

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"nav": "connections", "step": 1, "connectors": connectors.connectors().values()}
        return render(request, "connections/what.html", context)


class EntryStep(WizardView):
    """A step whose form fills the draft and lets its checks begin."""

    def page(self, form: EntryForm, status: int = 200) -> HttpResponse:
        """The page with this form."""
        raise NotImplementedError

    def read(self, form: EntryForm) -> tuple[Method, dict[str, str] | None]:
        """The method that was typed for, and its secrets; None keeps the stored ones."""
        raise NotImplementedError

    def submitted(self, form: EntryForm) -> HttpResponse:
        """On to the checks, or the form again with what does not fit."""
        draft = self._filled(form) if form.is_valid() else None
        if draft is None:
            return self.page(form, status=422)
        begin_checks(self.request, draft)
        return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)

    def told(self, method: Method, said: str) -> str:
        """What the page says of a field that does not fit."""
        return said

    def asked(self, own: tuple[Field, ...]) -> tuple[Field, ...]:
        """What is asked. A connection that exists already knows what it connects."""
        is_known = self.draft is not None and self.draft.connection is not None
        return own if is_known else self.connector.settings + own

    def _filled(self, form: EntryForm) -> Draft | None:
        method, secrets = self.read(form)
        if form.errors:
            return None
        try:
            return self._fill(method, form.settings, secrets)
        except InvalidSettings as error:
            form.refuse({name: self.told(method, said) for name, said in error.fields.items()})
            return None

    @transaction.atomic  # what does not fit leaves no draft behind
    def _fill(self, method: Method, typed: dict[str, str], secrets: dict[str, str] | None) -> Draft:
        draft = self.draft or drafts.start_draft(
            organization=self.organization,
            connector=self.connector.key,
            by=self.user,
            actor=self.actor,
        )
        fixed = draft.connection.settings if draft.connection else {}
        known = {field.name for field in self.connector.settings + method.settings}
        return drafts.fill_draft(
            draft=draft,
            method=method.key,
            name=draft.name,
            settings={**fixed, **{name: typed[name] for name in typed if name in known}},
            secrets=secrets,
            actor=self.actor,
        )


class How(EntryStep):
    """Which secret to enter it with; or paste one, and it is recognised."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.submitted(self._form(request.POST))

    def read(self, form: EntryForm) -> tuple[Method, dict[str, str] | None]:
        secrets = form.secrets or {}
        method = self.connector.method(self.connector.recognise(secrets, form.settings))
        if method.deprecated:
            form.add_error(PASTED.name, method.needs)
        return method, {method.secrets[0].name: secrets[PASTED.name]}

    def told(self, method: Method, said: str) -> str:
        return f"By its first letters the secret is of the kind {method.label}. {said}"

    def _form(self, data: QueryDict | None = None) -> EntryForm:
        optional = {
            field.name: replace(field, required=False)
            for method in self._offered
            for field in method.settings
        }
        return EntryForm(data, declared=self.asked((PASTED, *optional.values())))

    @property
    def _offered(self) -> list[Method]:
        return [method for method in self.connector.methods if not method.deprecated]

    def page(self, form: EntryForm, status: int = 200) -> HttpResponse:
        context = {
            **self.step_context,
            "step": 2,
            "methods": self._offered,
            "withdrawn": [method for method in self.connector.methods if method.deprecated],
            "has_consumer": bool(settings.BITBUCKET_OAUTH_CLIENT_ID),
            "form": form,
        }
        return render(self.request, "connections/how.html", context, status=status)


class Enter(EntryStep):
    """Type the settings and the secret of one method, or go on to Bitbucket's consent page."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if self.method.by_consent:
            return redirect("connections:wizard_what", self.organization.slug)
        return self.submitted(self._form(request.POST))

    def read(self, form: EntryForm) -> tuple[Method, dict[str, str] | None]:
        return self.method, form.secrets

    def _form(self, data: QueryDict | None = None) -> EntryForm:
        draft = self.draft
        same_method = draft is not None and draft.method == self.method.key
        return EntryForm(
            data,
            declared=self.asked(self.method.settings + self.method.secrets),
            initial=draft.settings if draft is not None else None,
            kept=list(draft.secrets or ()) if draft is not None and same_method else (),
        )

    def page(self, form: EntryForm, status: int = 200) -> HttpResponse:
        context = {
            **self.step_context,
            "step": 2,
            **about_method(self.method, self.draft.settings if self.draft else {}),
            "form": form,
        }
        template = "consent.html" if self.method.by_consent else "enter.html"
        return render(self.request, f"connections/{template}", context, status=status)


class Discard(WizardView):
    """Asks, then forgets a draft and its secret: that cannot be undone."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return render(request, "connections/discard.html", self.step_context)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        drafts.discard_draft(draft=self.kept_draft, actor=self.actor)
        messages.info(request, "The unfinished connection is forgotten, and its secret erased.")
        return redirect("ingestion:overview", self.organization.slug)


class Finish(ConnectionView):
    """Finish a connection that was made over the API without a secret."""

    permission = Permission.CONNECT

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        context = {
            "nav": "connections",
            "connection": self.connection,
            "connector": self.connector,
        }
        return render(request, "connections/finish.html", context)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        draft = drafts.start_draft(
            organization=self.organization,
            connector=self.connector.key,
            by=self.user,
            actor=self.actor,
            connection=self.connection,
        )
        return redirect("connections:wizard_how", self.organization.slug, draft.public_id)
