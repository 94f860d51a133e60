"""Who did what, when, from where."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import formats, selectors, sentences
from tenants.models import AuditEvent
from tenants.roles import Permission
from tenants.views.base import OrganizationView

ROWS = 50


class AuditLog(OrganizationView):
    """The audit trail, newest first; filters stand in the address."""

    permission = Permission.READ_AUDIT_LOG

    def get(self, request: HttpRequest) -> HttpResponse:
        filters = selectors.AuditFilters.read(request.GET)
        page = Paginator(selectors.audit_events(self.organization, filters), ROWS).get_page(
            request.GET.get("page")
        )
        context = {
            "nav": "audit",
            "page": page,
            "rows": [_row(event) for event in page],
            "filters": filters,
            "kept": formats.long_while(settings.AUDIT_KEPT_DAYS),
            "event_types": [
                (each, sentences.event_name(each))
                for each in selectors.event_types(self.organization)
            ],
        }
        return render(request, "tenants/audit_log.html", context)


def _row(event: AuditEvent) -> dict[str, object]:
    return {
        "event": event,
        "sentence": sentences.sentence(event),
        "details": sentences.details(event),
    }
