"""To Bitbucket's consent page and back, and the choice of a workspace."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import View

from connections import selectors
from connections.services import consent, drafts
from connections.services.errors import ConsentFailed, ConsentRefused, InvalidSettings
from connections.transport.errors import ProviderError
from connections.views.base import ConnectionView, WizardView, begin_checks
from tenants.models import User

METHOD = "oauth2"


class ConsentBegin(WizardView):
    """From the wizard to the consent page; the draft waits here."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        draft = self.draft or drafts.start_draft(
            organization=self.organization,
            connector=self.connector.key,
            by=self.user,
            actor=self.actor,
        )
        where = (self.organization.slug, draft.public_id)
        try:
            address = consent.begin_consent(
                draft=draft,
                user=self.user,
                session_key=request.session.session_key or "",
                return_path=reverse("connections:wizard_workspace", args=where),
            )
        except ConsentFailed as error:
            messages.error(request, error.message)
            return redirect("connections:wizard_how", *where)
        return HttpResponseRedirect(address)


class ConsentRenew(ConnectionView):
    """From a connection to the consent page: authorize it anew, or by one more account."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        where = (self.organization.slug, self.connection.pk)
        if not self.connection.identity:
            return redirect("connections:connection_finish", *where)
        back = reverse("connections:credentials", args=where)
        try:
            address = consent.begin_consent(
                connection=self.connection,
                user=self.user,
                actor=self.actor,
                session_key=request.session.session_key or "",
                return_path=back,
            )
        except ConsentFailed as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(back)
        return HttpResponseRedirect(address)


class ConsentCallback(LoginRequiredMixin, View):
    """Where Bitbucket sends people back to. The state names what was under way."""

    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return self.handle_no_permission()
        try:
            done = consent.complete_consent(
                state=request.GET.get("state", ""),
                code=request.GET.get("code", ""),
                error=request.GET.get("error", ""),
                session_key=request.session.session_key or "",
                user=user,
            )
        except ConsentFailed as error:
            if not error.return_path:
                return _failed(request, error.message, status=400)
            chosen = isinstance(error, ConsentRefused)  # nothing failed: somebody decided
            (messages.info if chosen else messages.error)(request, error.message)
            return HttpResponseRedirect(error.return_path)
        except ProviderError as error:
            return _failed(request, error.message, status=502)
        if done.purpose == "renew":
            messages.success(request, "The authorization works, and is used from now on.")
        return HttpResponseRedirect(done.return_path)


class ChooseWorkspace(WizardView):
    """Which of the workspaces that the authorization reaches."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        if self.kept_draft.grant is None:
            where = (self.organization.slug, self.kept_draft.public_id, METHOD)
            return redirect("connections:wizard_enter", *where)
        return self._page()

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        draft = self.kept_draft
        if draft.connection is None:
            chosen = request.POST.get("workspace", "")
            try:
                drafts.choose_workspace(draft=draft, workspace=chosen, actor=self.actor)
            except InvalidSettings:
                return self._page(error="Choose one of these workspaces.", status=422)
        begin_checks(request, draft)
        return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)

    def _page(self, status: int = 200, **more: Any) -> HttpResponse:
        draft = self.kept_draft
        offered = selectors.workspaces(draft.grant) if draft.grant else []
        only = offered[0]["slug"] if len(offered) == 1 else ""
        context = {
            **self.step_context,
            "step": 2,
            "grant": draft.grant,
            "workspaces": offered,
            "chosen": draft.settings.get("workspace", only),
            **more,
        }
        return render(self.request, "connections/workspace.html", context, status=status)


def _failed(request: HttpRequest, message: str, *, status: int) -> HttpResponse:
    return render(request, "connections/consent_failed.html", {"text": message}, status=status)
