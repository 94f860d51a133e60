"""What the holder of a connect link sees: who asks, for what; How and Verify; Done.

A visitor is nobody here: no account, no session. A signed cookie says which link was followed,
and holds what a consent is bound to.
"""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from connections import connectors, selectors
from connections.connectors.base import Connector, Method, UnknownMethod
from connections.forms import EntryForm
from connections.models import ConnectLink, Draft
from connections.services import consent, consumers, links, visiting
from connections.services.errors import (
    ConsentFailed,
    ConsentRefused,
    InvalidSettings,
    Refused,
    TriesTooMany,
)
from connections.services.selections import copied_streams
from connections.views.base import about_method, optional_places
from connections.views.proof import to_checks
from tenants import access
from tenants.actor import Actor

COOKIE = "connect-link"
HELD_FOR = 7200  # seconds that a browser may take from the link to Done


@dataclass(frozen=True, kw_only=True)
class Held:
    """The link that this browser followed, and what its consents are bound to."""

    link: ConnectLink
    nonce: str


def held_link(request: HttpRequest) -> Held | None:
    """The link that this browser holds, if it still lets somebody in."""
    try:
        value = request.get_signed_cookie(COOKIE, max_age=HELD_FOR) or ""
        public_id, nonce = value.split(" ")
        link = selectors.connect_link(uuid.UUID(public_id))
    except (KeyError, ValueError, signing.BadSignature):
        return None
    return Held(link=link, nonce=nonce) if link is not None else None


@method_decorator(csrf_exempt, name="dispatch")  # a refusal would put the address into the log
class FollowLink(View):
    """`/connect/<token>`: from now on this browser holds the link, not the address."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        link = selectors.link_of_token(links.token_hash(token))
        why = links.why_closed(link)
        if link is None or why:
            return closed(request, why, status=404 if link is None else 410)
        answer = redirect("connections:connect")
        answer.set_signed_cookie(
            COOKIE,
            f"{link.public_id} {secrets.token_urlsafe(24)}",
            max_age=HELD_FOR,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
        return answer


@method_decorator(never_cache, name="dispatch")
class LinkView(View):
    """A page for whoever holds a link, inside its organization and nowhere else."""

    held: Held

    @property
    def link(self) -> ConnectLink:
        return self.held.link

    @property
    def visitor(self) -> Actor:
        return Actor.visitor(self.request)

    @property
    def connector(self) -> Connector:
        return connectors.connector(self.link.connection.connector)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        held = held_link(request)
        why = links.why_closed(held.link) if held is not None else ""
        if held is None or why:
            return closed(request, why, status=410)
        self.held = held
        with access.enter(self.link.organization_id):
            return super().dispatch(request, *args, **kwargs)

    @property
    def about(self) -> dict[str, Any]:
        """Who asks, and what will be read."""
        connection = self.link.connection
        wanted = copied_streams(connection)
        return {
            "link": self.link,
            "organization_name": self.link.organization.name,
            "connection": connection,
            "workspace": connection.place,
            "connector": self.connector,
            "streams": [one for one in self.connector.streams if one.key in wanted],
        }


class Connect(LinkView):
    """Who asks for what, and the ways to let Tributary in. Looking changes nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page()

    def page(self, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {
            **self.about,
            "methods": [method for method in self.connector.methods if not method.deprecated],
            "has_consumer": consumers.has_consumer(self.link.organization_id, self.connector.key),
            **more,
        }
        return render(self.request, "connections/connect.html", context, status=status)


class ConnectConsent(LinkView):
    """On to the consent page."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            visiting.count_try(self.link)
            address = consent.begin_consent(
                draft=visiting.draft_of_link(self.link),
                user=None,
                session_key=self.held.nonce,
                return_path=reverse("connections:connect"),
            )
        except (ConsentFailed, TriesTooMany) as error:
            messages.error(request, error.message)
            return redirect("connections:connect")
        return HttpResponseRedirect(address)


class ConnectEnter(LinkView):
    """Enter a token instead. It is verified while the browser waits."""

    @property
    def method(self) -> Method:
        try:
            method = self.connector.method(self.kwargs["method"])
        except UnknownMethod as error:
            raise Http404(str(error)) from error
        if method.by_consent or method.deprecated:
            raise Http404("There is no form for this way.")
        return method

    def get(self, request: HttpRequest, method: str) -> HttpResponse:
        return self.page(self._form())

    def post(self, request: HttpRequest, method: str) -> HttpResponse:
        form = self._form(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        try:
            begun = visiting.enter(
                link=self.link,
                method=self.method.key,
                settings=form.settings,
                secrets=form.secrets or {},
                by=self.visitor,
            )
        except InvalidSettings as error:
            form.refuse(error.fields)
            return self.page(form, status=422)
        except Refused as refused:
            form.add_error(None, refused.message)
            return self.page(form, status=422)
        return to_checks(begun)

    def _form(self, data: Any = None) -> EntryForm:
        is_known = bool(self.link.connection.identity or self.link.connection.place)
        places = () if is_known else optional_places(self.connector)
        return EntryForm(data, declared=places + self.method.settings + self.method.secrets)

    def page(self, form: EntryForm, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {
            **self.about,
            **about_method(self.method, self.link.connection.settings),
            "form": form,
            **more,
        }
        return render(self.request, "connections/connect_enter.html", context, status=status)


class ConnectAnswer(LinkView):
    """Where the consent page sends the holder of a link back to."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            begun = consent.complete_link_consent(
                state=request.GET.get("state", ""),
                code=request.GET.get("code", ""),
                error=request.GET.get("error", ""),
                session_key=self.held.nonce,
                by=self.visitor,
            )
        except Refused as refused:
            chosen = isinstance(refused, ConsentRefused)  # nothing failed: somebody decided
            (messages.info if chosen else messages.error)(request, refused.message)
            return redirect("connections:connect")
        return redirect("connections:connect_workspace") if begun is None else to_checks(begun)


link_answered = ConnectAnswer.as_view()


class ConnectWorkspace(LinkView):
    """Which workspace it is, where the connection does not say and the account reaches several."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponse:
        draft = self.answered
        if draft is None:
            return redirect("connections:connect")
        chosen = request.POST.get("workspace", "")
        try:
            begun = visiting.choose_place(
                link=self.link, draft=draft, workspace=chosen, by=self.visitor
            )
        except InvalidSettings as error:
            return self.page(status=422, error=next(iter(error.fields.values())))
        except Refused as refused:
            return self.page(status=422, error=refused.message)
        return to_checks(begun)

    @property
    def answered(self) -> Draft | None:
        """The draft with the authorization that was given in this browser, while that is open."""
        draft = visiting.draft_of_link(self.link)
        is_mine = consent.is_answered(draft, self.held.nonce)
        return draft if is_mine and not draft.is_bound else None

    def page(self, *, status: int = 200, **more: Any) -> HttpResponse:
        draft = self.answered
        if draft is None or draft.grant is None:
            return redirect("connections:connect")
        reaches = sorted(draft.grant.reaches, key=lambda one: not one["is_administrator"])
        context = {**self.about, "grant": draft.grant, "workspaces": reaches, **more}
        return render(self.request, "connections/connect_workspace.html", context, status=status)


def closed(request: HttpRequest, why: str, *, status: int) -> HttpResponse:
    """The page of a link that lets nobody in, or of a browser that holds none."""
    return render(request, "connections/connect_closed.html", {"why": why}, status=status)
