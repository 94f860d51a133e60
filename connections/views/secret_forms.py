"""Giving a connection a secret: one more, or another in the place of one."""

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from connections.connectors.base import Method, UnknownMethod
from connections.forms import CredentialForm
from connections.models import Draft
from connections.selectors import rotation_of
from connections.services import changing, consumers, credentials, rotation
from connections.services.comparing import Comparison
from connections.services.errors import (
    InvalidSettings,
    Refused,
    VerificationFailed,
)
from connections.services.selections import copied_streams
from connections.views.base import (
    ConnectionView,
    CredentialView,
    about_method,
    misfit,
    unseen_secrets,
)
from connections.views.findings import Reading, read_checks
from tenants.api_call import ApiCall
from tenants.formats import listed
from tenants.roles import Permission


class SecretForm(ConnectionView):
    """A page with the form of a secret, which is verified before it is stored."""

    permission = Permission.CONNECT
    template = ""

    @property
    def method(self) -> Method:
        """The method whose fields are asked."""
        raise NotImplementedError

    def store(self, form: CredentialForm) -> None:
        """Verify what was typed, then store it."""
        raise NotImplementedError

    def more(self) -> dict[str, Any]:
        """What else the page shows."""
        return {}

    def submitted(self, form: CredentialForm, praise: str) -> HttpResponse:
        """Store what was typed; else the form again, with what stands in the way."""
        try:
            if form.is_valid():
                self.store(form)
        except InvalidSettings as error:
            form.refuse(error.fields)
        except Refused as error:
            form.add_error(None, error.message)
        except VerificationFailed as error:
            return self.page(form, status=422, finding=self._read(error))
        if form.errors:
            return self.page(form, status=422)
        messages.success(self.request, praise)
        return redirect("connections:credentials", self.organization.slug, self.connection.pk)

    def page(self, form: CredentialForm, *, status: int = 200, **found: Any) -> HttpResponse:
        context = {
            **self.tab_context("credentials"),
            **about_method(self.method, self.connection.settings),
            "form": form,
            **self.more(),
            **found,
        }
        return render(self.request, self.template, context, status=status)

    def _read(self, error: VerificationFailed) -> Reading:
        return read_checks(
            connector=self.connector,
            outcome=error.finding.outcome,
            checks=error.finding.check_rows(),
            streams=copied_streams(self.connection),
            workspace=self.connection.place,
        )

    def typed(self, form: CredentialForm) -> dict[str, Any] | str:
        """What was typed as the body of a call, without its secrets; or what does not fit."""
        form.is_valid()
        wrong = misfit(form, but=[field.name for field in self.method.secrets])
        if wrong:
            return wrong
        day = form.cleaned_data["expiration_date"]
        body: dict[str, Any] = {"label": form.cleaned_data["label"], "settings": form.settings}
        return {**body, "expiration_date": day.isoformat() if day else None}

    def call(self, verb: str, body: dict[str, Any]) -> ApiCall:
        """A call on the credentials of this connection."""
        return ApiCall(method=f"connections/{self.connection.pk}/credentials.{verb}", body=body)


class CredentialAdd(SecretForm):
    """Add a credential: pick a method, then enter it."""

    template = "connections/credential_add.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        if "method" not in self.kwargs:
            return self._methods()
        return self.page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.submitted(self._form(request.POST), "The credential works and is stored.")

    def api_call(self, **_: object) -> ApiCall | str:
        typed = self.typed(self._form(self.request.POST))
        if isinstance(typed, str):
            return typed
        told = {name: value for name, value in typed.items() if value}
        secrets = unseen_secrets(self.method)
        return self.call("create", {"method": self.method.key, **told, "secrets": secrets})

    @property
    def method(self) -> Method:
        try:
            return self.connector.method(self.kwargs["method"])
        except (KeyError, UnknownMethod) as error:
            raise Http404("There is no such way to connect.") from error

    def _methods(self) -> HttpResponse:
        offered = [method for method in self.connector.methods if not method.deprecated]
        context = {
            **self.tab_context("credentials"),
            "methods": offered,
            "has_consumer": consumers.has_consumer(self.organization.pk, self.connector.key),
        }
        return render(self.request, "connections/credential_methods.html", context)

    def _form(self, data: QueryDict | None = None) -> CredentialForm:
        return CredentialForm(data, declared=self.method.settings + self.method.secrets)

    def store(self, form: CredentialForm) -> None:
        credentials.create_credential(
            connection=self.connection,
            method=self.method.key,
            label=form.cleaned_data["label"],
            settings=form.settings,
            secrets=form.secrets or {},
            expiration_date=form.cleaned_data["expiration_date"],
            by=self.actor,
        )


class CredentialRotate(CredentialView, SecretForm):
    """Replace a secret. The old one stays until the new one has proved itself."""

    template = "connections/credential_rotate.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        self.rotation: Draft | None = None
        answer = self.submitted(self._form(request.POST), "")
        if self.rotation is None or answer.status_code != 302:
            return answer
        return self._on(self.rotation)

    def _on(self, draft: Draft) -> HttpResponse:
        """To the comparison where somebody has to look; else it takes over at once."""
        where = (self.organization.slug, self.connection.pk)
        comparison = rotation.comparison_of(draft)
        if comparison.asks or rotation.twins_of(self.credential):
            return redirect(
                "connections:credential_compare", *where, self.credential.pk, draft.public_id
            )
        rotation.take_over(draft=draft, actor=self.actor)
        messages.success(self.request, f"It works, {same(comparison)}, and has taken over.")
        return redirect("connections:credentials", *where)

    def api_call(self, **_: object) -> ApiCall | str:
        form = self._form(self.request.POST)
        typed = self.typed(form)
        if isinstance(typed, str):
            return typed
        label = typed["label"] or self.credential.label
        secrets = unseen_secrets(self.method) if self._types_secret() else {}
        body = {"id": self.credential.pk, **typed, "label": label, "secrets": secrets}
        return self.call("update", body)

    def _types_secret(self) -> bool:
        return any(self.request.POST.get(field.name) for field in self.method.secrets)

    def more(self) -> dict[str, Any]:
        return {"credential": self.credential}

    def _form(self, data: QueryDict | None = None) -> CredentialForm:
        kept = self.credential
        named = {"repository": kept.acts_as} if kept.kind == "repository" else {}
        initial = {
            **kept.settings,
            **named,
            "label": kept.label,
            "expiration_date": kept.expiration_date,
        }
        declared = self.method.settings + self.method.secrets
        return CredentialForm(
            data, declared=declared, initial=initial, kept=list(kept.secrets or ())
        )

    def store(self, form: CredentialForm) -> None:
        if form.secrets:
            self.rotation = rotation.begin_rotation(
                credential=self.credential,
                label=form.cleaned_data["label"],
                settings=form.settings,
                secrets=form.secrets,
                expiration_date=form.cleaned_data["expiration_date"],
                by=self.user,
                actor=self.actor,
            )
            return
        changing.update_credential(
            credential=self.credential,
            label=form.cleaned_data["label"] or self.credential.label,
            settings=form.settings,
            secrets=form.secrets,
            expiration_date=form.cleaned_data["expiration_date"],
            by=self.actor,
        )


class CredentialCompare(CredentialView):
    """What the new secret sees beside the old one; a POST lets it take over."""

    permission = Permission.CONNECT

    @cached_property
    def draft(self) -> Draft:
        found = rotation_of(self.credential, self.user, self.kwargs["rotation"])
        if found is None:
            raise Http404("This new secret has taken over already, or was forgotten.")
        return found

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.page()

    def api_call(self, **_: object) -> ApiCall | str:
        if self.request.POST.getlist("also"):
            return "A call exchanges one secret: untick the others, and it is shown."
        body = {
            "id": self.credential.pk,
            "label": self.draft.name,
            "settings": self.draft.settings,
            "secrets": unseen_secrets(self.method),
            "expiration_date": self.draft.found["expiration_date"],
        }
        method = f"connections/{self.connection.pk}/credentials.update"
        return ApiCall(method=method, body=body)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        also = {int(pk) for pk in request.POST.getlist("also") if pk.isdecimal()}
        twins = {one.pk: one for one in rotation.twins_of(self.credential)}
        try:
            rotation.take_over(
                draft=self.draft,
                also=also,
                confirmed=request.POST.get("confirmed") == "yes",
                actor=self.actor,
            )
        except Draft.DoesNotExist:
            raise Http404("This new secret has taken over already.") from None
        except Refused as error:
            return self.page(error=error.message, status=422)
        there = [twins[pk].connection.name for pk in twins if pk in also]
        too = f", in {listed(there)} too" if there else ""
        messages.success(request, f"The new secret has taken over{too}.")
        return redirect("connections:credentials", self.organization.slug, self.connection.pk)

    def page(self, *, error: str = "", status: int = 200) -> HttpResponse:
        context = {
            **self.tab_context("credentials"),
            "credential": self.credential,
            "draft": self.draft,
            "comparison": rotation.comparison_of(self.draft),
            "twins": rotation.twins_of(self.credential),
            "error": error,
        }
        template = "connections/credential_compare.html"
        return render(self.request, template, context, status=status)


class CredentialForget(CredentialCompare):
    """Forget a new secret that has not taken over."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        self.draft.delete()
        messages.info(request, "The new secret is forgotten. The old one stays in use.")
        return redirect("connections:credentials", self.organization.slug, self.connection.pk)


def same(comparison: Comparison) -> str:
    """That the new secret sees as much, or how much more."""
    sees = f"sees {comparison.sees:,} repositor{'y' if comparison.sees == 1 else 'ies'}"
    if comparison.saw is None:
        return sees
    more = len(comparison.more)
    return f"{sees}, {more:,} more than the old one" if more else f"{sees} as the old one did"
