"""The first two steps of connecting: what, and how."""

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from connections import connectors
from connections.connectors.base import Field
from connections.forms import EntryForm
from connections.models import Draft
from connections.services import drafts
from connections.services.errors import InvalidSettings
from connections.views.base import (
    ConnectionView,
    WizardView,
    begin_checks,
    scope_names,
)
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class What(OrganizationView):
    """Which kind of thing to connect."""

    permission = Permission.CONNECT

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"nav": "connections", "step": 1, "connectors": connectors.connectors().values()}
        return render(request, "connections/what.html", context)


class How(WizardView):
    """Which secret to enter it with."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        context = {
            **self.step_context,
            "step": 2,
            "methods": [method for method in self.connector.methods if not method.deprecated],
            "withdrawn": [method for method in self.connector.methods if method.deprecated],
            "has_consumer": bool(settings.BITBUCKET_OAUTH_CLIENT_ID),
        }
        return render(request, "connections/how.html", context)


class Enter(WizardView):
    """Type the settings and the secret, or go on to Bitbucket's consent page."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if self.method.by_consent:
            return redirect("connections:wizard_what", self.organization.slug)
        form = self._form(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            draft = self._fill(form)
        except InvalidSettings as error:
            form.refuse(error.fields)
            return self._page(form, status=422)
        begin_checks(request, draft)
        return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)

    @transaction.atomic  # what does not fit leaves no draft behind
    def _fill(self, form: EntryForm) -> Draft:
        draft = self.draft or drafts.start_draft(
            organization=self.organization,
            connector=self.connector.key,
            by=self.user,
            actor=self.actor,
        )
        fixed = draft.connection.settings if draft.connection else {}
        drafts.fill_draft(
            draft=draft,
            method=self.method.key,
            name=draft.name,
            settings={**fixed, **form.settings},
            secrets=form.secrets,
            actor=self.actor,
        )
        return draft

    def _form(self, data: QueryDict | None = None) -> EntryForm:
        draft = self.draft
        same_method = draft is not None and draft.method == self.method.key
        kept = list(draft.secrets or ()) if draft is not None and same_method else []
        return EntryForm(
            data,
            declared=self._declared(),
            initial=draft.settings if draft is not None else None,
            kept=kept,
        )

    def _declared(self) -> tuple[Field, ...]:
        """What is asked. A connection that exists already knows what it connects."""
        own = self.method.settings + self.method.secrets
        is_known = self.draft is not None and self.draft.connection is not None
        return own if is_known else self.connector.settings + own

    def _page(self, form: EntryForm, status: int = 200) -> HttpResponse:
        context = {
            **self.step_context,
            "step": 2,
            "method": self.method,
            "scope_names": scope_names(self.method),
            "form": form,
        }
        template = "consent.html" if self.method.by_consent else "enter.html"
        return render(self.request, f"connections/{template}", context, status=status)


class Discard(WizardView):
    """Forget a draft and its secret."""

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
