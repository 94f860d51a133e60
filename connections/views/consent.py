"""To the consent page and back, and the choice of a workspace."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.generic import View

from connections import selectors
from connections.services import consent, drafts, granting, links
from connections.services.errors import (
    ConsentFailed,
    ConsentRefused,
    InvalidSettings,
    NotTheOwner,
    Refused,
)
from connections.transport.errors import ProviderError
from connections.views.base import ConnectionView, WizardView, begin_checks
from connections.views.connect import link_answered
from connections.views.links import show_once
from tenants.actor import Actor
from tenants.models import User


class ConsentBegin(WizardView):
    """From the wizard to the consent page; the draft waits here."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        draft = self.begun()
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


class ConsentUse(WizardView):
    """Go on with an authorization that was given before, instead of a new one."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, grant: int, **_: object) -> HttpResponse:
        rows = selectors.grants_of(self.organization, connector=self.connector.key)
        found = get_object_or_404(rows, pk=grant)
        draft = self.begun()
        where = (self.organization.slug, draft.public_id)
        try:
            drafts.use_grant(draft=draft, grant=found, actor=self.actor)
        except Refused as refused:
            messages.error(request, refused.message)
            return redirect("connections:wizard_how", *where)
        return redirect("connections:wizard_workspace", *where)


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
    """Where the provider sends people back to. The state names what was under way."""

    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "GET" and consent.is_of_link(request.GET.get("state", "")):
            return link_answered(request)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
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
                by=Actor.for_user(user, request),
            )
        except ConsentFailed as error:
            if not error.return_path:
                return _failed(request, error.message, status=400)
            chosen = isinstance(error, ConsentRefused)  # nothing failed: somebody decided
            (messages.info if chosen else messages.error)(request, error.message)
            return HttpResponseRedirect(error.return_path)
        except ProviderError as error:
            return _failed(request, error.message, status=502)
        if done.connection is not None and done.connection.identity:
            messages.success(request, "The authorization works, and is used from now on.")
        return HttpResponseRedirect(done.return_path)


class ChooseWorkspace(WizardView):
    """For which workspaces the authorization may be used, and which of them is connected now."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        if self.kept_draft.grant is None:
            where = (self.organization.slug, self.kept_draft.public_id, self._method)
            return redirect("connections:wizard_enter", *where)
        return self._page()

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        grant = self.kept_draft.grant
        if grant is None:
            return self.get(request)
        try:
            if "tick" in request.POST:
                granting.tick(
                    grant=grant,
                    workspaces=request.POST.getlist("workspaces"),
                    user=self.user,
                    by=self.actor,
                )
                only = selectors.workspaces(grant)
                if len(only) == 1 and not only[0]["connection"]:
                    return self._go_on(only[0]["slug"])
                return redirect(request.path)
            return self._go_on(request.POST.get("workspace", ""))
        except NotTheOwner as refused:
            return self._page(error=refused.message, status=403)
        except InvalidSettings as refused:
            return self._page(error=next(iter(refused.fields.values())), status=422)

    def _go_on(self, workspace: str) -> HttpResponse:
        """Choose this one, unless the connection says which it is, and let the checks begin."""
        draft = self.kept_draft
        if not draft.is_bound:
            drafts.choose_workspace(draft=draft, workspace=workspace, actor=self.actor)
        begin_checks(self.request, draft, self.actor)
        return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)

    @property
    def _method(self) -> str:
        method = self.connector.consent_method
        return method.key if method is not None else ""

    def _page(self, status: int = 200, **more: Any) -> HttpResponse:
        draft = self.kept_draft
        grant = draft.grant
        if grant is None:
            return redirect("connections:wizard_how", self.organization.slug, draft.public_id)
        may_tick = grant.made_by_id == self.user.pk
        asked = "tick" in self.request.GET or "tick" in self.request.POST
        is_ticking = may_tick and not draft.is_bound and (asked or not grant.workspaces)
        offered = selectors.workspaces(grant, ticked=not is_ticking)
        only = offered[0]["slug"] if len(offered) == 1 else ""
        context = {
            **self.step_context,
            "step": 2,
            "grant": grant,
            "owner": granting.owner_of(grant),
            "may_tick": may_tick,
            "is_ticking": is_ticking,
            "workspaces": offered,
            "all_connected": not is_ticking and all(one["connection"] for one in offered),
            "more_to_tick": len(grant.reaches) > len(grant.workspaces),
            "chosen": draft.place or only,
            **more,
        }
        return render(self.request, "connections/workspace.html", context, status=status)


class AskAdministrator(WizardView):
    """A pending connection to a workspace, and a link for whoever administers it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        draft = self.kept_draft
        reached = draft.grant.reaches if draft.grant is not None else []
        asked = request.POST.get("ask", "")
        slug = next((one["slug"] for one in reached if one["slug"] == asked), "")
        if not slug:
            return redirect("connections:wizard_workspace", self.organization.slug, draft.public_id)
        try:
            link, token = links.ask_administrator(
                organization=self.organization,
                connector=draft.connector,
                workspace=slug,
                by=self.actor,
                user=self.user,
            )
        except Refused as refused:
            messages.error(request, refused.message)
            return redirect("connections:wizard_workspace", self.organization.slug, draft.public_id)
        return show_once(request, link, token)


def _failed(request: HttpRequest, message: str, *, status: int) -> HttpResponse:
    return render(request, "connections/consent_failed.html", {"text": message}, status=status)
