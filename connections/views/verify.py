"""The third step of connecting: the checks are run and shown one by one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from connections.connectors.base import Method
from connections.models import Connection, Verification
from connections.services import drafts, restoring, verification
from connections.views.base import WizardView, begin_checks
from connections.views.findings import read_draft


class VerifyStep(WizardView):
    """What the page and its live part share."""

    @property
    def verification_context(self) -> dict[str, Any]:
        draft = self.kept_draft
        latest = verification.latest_verification(draft)
        finding = read_draft(draft, latest, self.connector) if latest else None
        return {
            **self.step_context,
            "step": 3,
            "verification": latest,
            "finding": finding,
            "other_method": self._other_method(latest),
            "joins": self._joins(latest),
        }

    def _joins(self, latest: Verification | None) -> Connection | None:
        """The connection that a verified draft belongs to, which keeps its own choices."""
        draft = self.kept_draft
        if latest is None or latest.outcome != Verification.Outcome.OK:
            return None
        if draft.connection is not None:
            return draft.connection if draft.connection.identity else None
        return restoring.same_thing(draft)

    def _other_method(self, latest: Verification | None) -> Method | None:
        """What a refused secret looks like, where that is not what it was entered as."""
        draft = self.kept_draft
        refused = Verification.Outcome.INVALID_CREDENTIALS
        if latest is None or latest.outcome != refused or not draft.secrets:
            return None
        key = self.connector.recognise(draft.secrets, draft.settings)
        method = self.connector.method(key)
        return None if key == draft.method or method.deprecated else method


class Verify(VerifyStep):
    """The page of the checks. Asking again is a POST."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        context = self.verification_context
        if context["verification"] is None:
            return redirect(
                "connections:wizard_how", self.organization.slug, self.kept_draft.public_id
            )
        return render(request, "connections/verify.html", context)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        latest = verification.latest_verification(self.kept_draft)
        if latest is None or not latest.is_running:
            begin_checks(request, self.kept_draft, self.actor)
        return redirect(
            "connections:wizard_verify", self.organization.slug, self.kept_draft.public_id
        )


class VerifyLive(VerifyStep):
    """The part of that page that fills while the checks run."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return render(request, "connections/_verify.html", self.verification_context)


class LeaveOut(VerifyStep):
    """Go on without the streams whose check fails."""

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        draft, finding = self.kept_draft, self.verification_context["finding"]
        if finding is None or not finding.without:
            return redirect("connections:wizard_verify", self.organization.slug, draft.public_id)
        drafts.leave_out(draft=draft, streams=[stream.key for stream in finding.without])
        return redirect("ingestion:wizard_choose", self.organization.slug, draft.public_id)
