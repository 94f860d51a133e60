"""The step before “how”, for what stands beneath another connection: beneath which one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from connections.services import drafts
from connections.services.parents import possible_parents
from connections.views.base import WizardView


class ChooseParent(WizardView):
    """Among the connections that work and have none of this kind yet."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self._page()

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        chosen = request.POST.get("parent", "")
        for parent in possible_parents(self.organization, self.connector):
            if str(parent.pk) == chosen:
                draft = drafts.start_draft(
                    organization=self.organization,
                    connector=self.connector.key,
                    by=self.user,
                    actor=self.actor,
                    parent=parent,
                )
                return redirect("connections:wizard_how", self.organization.slug, draft.public_id)
        return self._page(status=422, error="Choose one of these.")

    def _page(self, status: int = 200, **more: str) -> HttpResponse:
        if not self.connector.requires_parent:
            return redirect("connections:wizard_how", self.organization.slug, self.connector.key)
        parents = possible_parents(self.organization, self.connector)
        context = {**self.step_context, "step": 2, "parents": parents, **more}
        return render(self.request, "connections/parent.html", context, status=status)
