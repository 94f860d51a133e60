"""The second step of connecting: pick a way in, or paste any secret and it is recognised."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from connections.connectors.base import Recognised
from connections.forms import PasteForm
from connections.services import consumers, pasting
from connections.services.errors import InvalidSettings, VerificationsTooMany
from connections.views.base import begin_checks, misfit
from connections.views.wizard import DraftStep
from tenants.api_call import SECRET, ApiCall


class How(DraftStep):
    """Which secret to enter it with; or paste one, and what it is shows."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.step_before or self.page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if self.step_before:
            return self.step_before
        form = self._form(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        try:
            recognised = self._recognise(form)
        except VerificationsTooMany as error:
            form.add_error(None, error.message)
            return self.page(form, status=422)
        if recognised.is_refused and not recognised.asks:
            form.add_error("secret", recognised.said)
            return self.page(form, status=422)
        if recognised.asks:
            draft = pasting.keep_pasted(draft=self.begun(), recognised=recognised)
            return redirect("connections:wizard_how", self.organization.slug, draft.public_id)
        return self._filled(form, recognised)

    def api_call(self, **_: object) -> ApiCall | str:
        form = self._form(self.request.POST)
        form.is_valid()
        wrong = misfit(form, but=["secret"])
        if wrong:
            return wrong
        known = self.connector.read_places({**self.fixed, **form.settings})
        own = {field.name for field in self.connector.settings}
        typed = {name: value for name, value in known.items() if name not in own}
        credential = {"settings": typed, "secrets": {"token": SECRET}}
        if self.draft is not None and self.draft.connection is not None:
            method = f"connections/{self.draft.connection.pk}/credentials.create"
            return ApiCall(method=method, body=credential)
        named = self.draft.name if self.draft is not None else ""
        body: dict[str, Any] = {
            "type": self.connector.key,
            "name": named or known.get(self.connector.place) or self.connector.label,
            "settings": {name: value for name, value in known.items() if name in own},
            "credential": credential,
        }
        if self.draft is not None and self.draft.parent_id:
            body["parent_id"] = self.draft.parent_id
        return ApiCall(method="connections.create", body=body)

    @property
    def kept(self) -> Recognised | None:
        """What the secret in the draft turned out to be, while something is asked beside it."""
        return pasting.recognised_of(self.draft) if self.draft else None

    def _form(self, data: QueryDict | None = None) -> PasteForm:
        kept = self.kept
        every = [*self.connector.settings]
        every += [field for method in self.connector.methods for field in method.settings]
        asks = kept.asks if kept else ()
        declared = {field.name: field for field in reversed(every) if field.name in asks}
        return PasteForm(
            data,
            declared=[declared[name] for name in asks if name in declared],
            initial={**(kept.settings if kept else {}), "username": self._email(kept)},
            kept=kept is not None,
            workspaces=kept.workspaces if kept else (),
        )

    def _email(self, kept: Recognised | None) -> str:
        """The e-mail that was typed; else one's own, which it most likely is."""
        return str(kept.settings.get("username", "") if kept else "") or self.user.email

    def _recognise(self, form: PasteForm) -> Recognised:
        kept = self.kept
        known = self.connector.read_places({**self.fixed, **form.settings})
        if kept is None or form.pasted:
            return self._identify(form.pasted, known)
        known = {**kept.settings, **known}
        if "username" in kept.asks:
            return self._identify(kept.secret, known, method=kept.method)
        own = [field.name for field in self.connector.settings]
        missing = tuple(name for name in own if not known.get(name))
        return replace(kept, settings=known, asks=missing, said="", is_refused=False)

    def _identify(self, text: str, known: dict[str, str], method: str = "") -> Recognised:
        return pasting.identify(
            self.connector, text, known, tried_for=self.tried_for, by=self.actor, method=method
        )

    def _filled(self, form: PasteForm, recognised: Recognised) -> HttpResponse:
        method = self.connector.method(recognised.method)
        secrets = {method.secrets[0].name: recognised.secret}
        try:
            draft = self.fill(method, dict(recognised.settings), secrets)
        except InvalidSettings as error:
            form.refuse(error.fields)
            return self.page(form, status=422)
        begin_checks(self.request, draft, self.actor)
        return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)

    def page(self, form: PasteForm, status: int = 200) -> HttpResponse:
        methods = self.connector.methods
        context: dict[str, Any] = {
            **self.step_context,
            "step": 2,
            "methods": [method for method in methods if not method.deprecated],
            "withdrawn": [method for method in methods if method.deprecated],
            "has_consumer": consumers.has_consumer(self.organization.pk, self.connector.key),
            "form": form,
            "recognised": self.kept,
        }
        return render(self.request, "connections/how.html", context, status=status)
