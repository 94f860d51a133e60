"""The first two steps of connecting: what, and which secret to enter it with."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from connections import connectors, selectors
from connections.connectors.base import Field, Method
from connections.forms import EntryForm
from connections.models import Draft
from connections.services import drafts, pasting
from connections.services.errors import InvalidSettings, VerificationsTooMany
from connections.views.base import (
    ConnectionView,
    WizardView,
    about_method,
    begin_checks,
    misfit,
    optional_places,
    unseen_secrets,
)
from tenants.api_call import ApiCall
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class What(OrganizationView):
    """Which kind of thing to connect."""

    permission = Permission.CONNECT

    def get(self, request: HttpRequest) -> HttpResponse:
        kinds = [
            (kind, connectors.connector(kind.requires_parent) if kind.requires_parent else None)
            for kind in connectors.connectors().values()
        ]
        context = {"nav": "connections", "step": 1, "connectors": kinds}
        return render(request, "connections/what.html", context)


class DraftStep(WizardView):
    """A step that fills the draft, or begins one."""

    @property
    def step_before(self) -> HttpResponse | None:
        """The choice of the connection beneath which this one stands, where that is to be made."""
        if self.draft is None and self.connector.requires_parent:
            return redirect("connections:wizard_parent", self.organization.slug, self.connector.key)
        return None

    @property
    def fixed(self) -> dict[str, str]:
        """The settings of a connection that exists already: it knows what it connects, and so does
        one that stands beneath another.
        """
        if self.draft is not None and self.draft.connection is not None:
            return dict(self.draft.connection.settings)
        parent = self.draft.parent if self.draft is not None else None
        return {self.connector.place: parent.identity} if parent is not None else {}

    @transaction.atomic  # what does not fit leaves no draft behind
    def fill(self, method: Method, typed: dict[str, str], secrets: dict[str, str] | None) -> Draft:
        """Keep what was typed. Raises InvalidFields."""
        draft = self.begun()
        known = {field.name for field in self.connector.settings + method.settings}
        return drafts.fill_draft(
            draft=draft,
            method=method.key,
            name=draft.name,
            settings={**self.fixed, **{name: typed[name] for name in typed if name in known}},
            secrets=secrets,
            actor=self.actor,
        )


class EntryStep(DraftStep):
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
        begin_checks(self.request, draft, self.actor)
        return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)

    def told(self, method: Method, said: str) -> str:
        """What the page says of a field that does not fit."""
        return said

    def asked(self, own: tuple[Field, ...]) -> tuple[Field, ...]:
        """What is asked. A connection that exists already knows what it connects, as a rule."""
        is_known = self.draft is not None and self.draft.is_bound
        return own if is_known else self.place_fields + own

    @property
    def place_fields(self) -> tuple[Field, ...]:
        """The fields of what is connected; left empty, the secret is asked."""
        return optional_places(self.connector)

    def _filled(self, form: EntryForm) -> Draft | None:
        method, secrets = self.read(form)
        settings = self._completed(form, method, secrets)
        if form.errors:
            return None
        try:
            return self.fill(method, settings, secrets)
        except InvalidSettings as error:
            form.refuse({name: self.told(method, said) for name, said in error.fields.items()})
            return None

    def _completed(
        self, form: EntryForm, method: Method, secrets: dict[str, str] | None
    ) -> dict[str, str]:
        """What was typed with what the secret tells by itself: of which workspace it is."""
        is_asked = any(field.name in form.fields for field in self.connector.settings)
        kept = dict(self.draft.secrets or {}) if self.draft else {}
        typed = self.connector.read_places(form.settings)
        if form.errors or not is_asked:
            return typed
        try:
            return pasting.complete_places(
                self.connector,
                method,
                typed,
                secrets or kept,
                tried_for=self.tried_for,
                by=self.actor,
            )
        except VerificationsTooMany as error:
            form.add_error(None, error.message)
        except InvalidSettings as error:
            form.refuse(error.fields)
        return typed


class Enter(EntryStep):
    """Type the settings and the secret of one method, or go on to Bitbucket's consent page."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.step_before or self.page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if self.method.by_consent:
            return redirect("connections:wizard_what", self.organization.slug)
        return self.step_before or self.submitted(self._form(request.POST))

    def read(self, form: EntryForm) -> tuple[Method, dict[str, str] | None]:
        return self.method, form.secrets

    def api_call(self, **_: object) -> ApiCall | str:
        form = self._form(self.request.POST)
        form.is_valid()
        wrong = misfit(form, but=[field.name for field in self.method.secrets])
        if wrong or self.method.by_consent:
            return wrong or "Bitbucket asks a person for consent: that needs a browser."
        places = {field.name for field in self.connector.settings}
        typed = {name: value for name, value in form.settings.items() if name not in places}
        place = {**self.fixed, **form.settings}
        credential = {
            "method": self.method.key,
            "settings": typed,
            "secrets": unseen_secrets(self.method),
        }
        connection = self.draft.connection if self.draft is not None else None
        if connection is not None:
            method = f"connections/{connection.pk}/credentials.create"
            return ApiCall(method=method, body=credential)
        settings = {name: place.get(name, "") for name in sorted(places)}
        if not all(settings.values()):
            return "The API is told the workspace: type it, and the call is shown."
        named = self.draft.name if self.draft is not None else ""
        name = named or self.connector.place_in(settings)
        body = {"type": self.connector.key, "name": name, "settings": settings}
        return ApiCall(method="connections.create", body={**body, "credential": credential})

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
        if self.method.by_consent:
            context["authorizations"] = self._authorizations
        template = "consent.html" if self.method.by_consent else "enter.html"
        return render(self.request, f"connections/{template}", context, status=status)

    @property
    def _authorizations(self) -> list[selectors.GrantInUse]:
        """Those that one can go on with; for a connection, those for its workspace."""
        draft = self.draft
        rows = selectors.grants_of(self.organization, connector=self.connector.key)
        if draft is None or not draft.is_bound:
            return selectors.with_connections(rows)
        fits = [one for one in rows if drafts.needed_workspace(draft, one.workspaces)]
        return selectors.with_connections(fits)


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
            "links": selectors.links_of(self.connection),
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
