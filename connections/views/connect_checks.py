"""The checks of what the holder of a connect link entered, as they finish, and Done."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import View

from connections import connectors
from connections.models import Draft, Verification
from connections.services import visiting
from connections.services.errors import Refused
from connections.services.verification import latest_verification
from connections.views.connect import COOKIE, LinkView
from connections.views.findings import Reading, read_credential, read_draft
from connections.views.proof import PROOF, proof_held, to_checks
from tenants import access


class Checks(LinkView):
    """What the page and its live part share: checks that were begun in this browser."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if handed_over(request) is not None:
            return self.on("connections:connect_done")
        return super().dispatch(request, *args, **kwargs)

    @property
    def begun(self) -> tuple[Draft, Verification] | None:
        """The draft and its checks, where they are those of this browser."""
        draft = visiting.draft_of_link(self.link)
        latest, proof = latest_verification(draft), proof_held(self.request)
        if latest is None or proof != (latest.organization_id, latest.pk):
            return None
        return draft, latest

    def page(self, template: str) -> HttpResponse:
        begun = self.begun
        if begun is None:
            return self.on("connections:connect")
        draft, latest = begun
        finding, refused = read_draft(draft, latest, self.connector), draft.found.get("refused", "")
        is_on_its_way = finding.is_good and not refused  # the worker stores it, then it is done
        context = {
            **self.about,
            "draft": draft,
            "finding": finding,
            "refused": refused,
            "refresh": "700ms" if is_on_its_way else finding.refresh,
            "may_go_on": may_go_on(draft),
            "is_kept": is_kept(draft),
        }
        return render(self.request, template, context)

    def on(self, name: str) -> HttpResponse:
        """To another page, also out of its live part."""
        if self.request.headers.get("HX-Request"):
            answer = HttpResponse(status=204)
            answer["HX-Redirect"] = reverse(name)
            return answer
        return redirect(name)


class ConnectVerify(Checks):
    """The page of the checks. Asking again and going on without a stream are POSTs."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("connections/connect_verify.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        begun = self.begun
        if begun is None:
            return redirect("connections:connect")
        try:
            return self._go_on(*begun)
        except Refused as refused:
            messages.error(request, refused.message)
            return redirect("connections:connect_verify")

    def _go_on(self, draft: Draft, latest: Verification) -> HttpResponse:
        if "without" not in self.request.POST:
            if latest.is_running:
                return redirect("connections:connect_verify")
            visiting.count_try(self.link)
            return to_checks(visiting.begin(self.link, draft, self.visitor))
        finding = read_draft(draft, latest, self.connector)
        if finding.without and may_go_on(draft):
            streams = [stream.key for stream in finding.without]
            visiting.go_on_without(link=self.link, draft=draft, streams=streams, by=self.visitor)
            return redirect("connections:connect_done")
        return redirect("connections:connect_verify")


class ConnectVerifyLive(Checks):
    """The part of that page that fills while the checks run."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("connections/_connect_verify.html")


class ConnectDone(View):
    """Nothing more to do, and nothing more to see but the checks that passed."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"finding": handed_over(request)}
        answer = render(request, "connections/connect_done.html", context)
        answer.delete_cookie(COOKIE)
        answer.delete_cookie(PROOF, path="/connect/")
        return answer


def handed_over(request: HttpRequest) -> Reading | None:
    """What the checks found that were begun in this browser, once their secret is stored."""
    proof = proof_held(request)
    if proof is None:
        return None
    organization_id, pk = proof
    with access.enter(organization_id):
        rows = Verification.objects.for_organization(organization_id)
        row = rows.filter(pk=pk).exclude(credential=None).select_related("credential").first()
        if row is None or row.credential is None:
            return None
        connection = row.credential.connection
        return read_credential(connection, row, connectors.connector(connection.connector))


def is_kept(draft: Draft) -> bool:
    """Whether what was entered is still there to be checked or handed over."""
    return bool(draft.secrets or draft.grant_id)


def may_go_on(draft: Draft) -> bool:
    """Whether streams may be left out: a connection that works already keeps its own choice."""
    connection = draft.connection
    return connection is not None and not connection.identity and is_kept(draft)
