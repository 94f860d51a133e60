"""Deleted connections: what they were, until when they can be restored, and the way back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from connections import connectors
from connections.models import Connection
from connections.selectors import deleted_connections
from connections.services import drafts, restoring
from connections.services.errors import Refused
from connections.views.base import WizardView, unseen_secrets
from tenants.api_call import ApiCall
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class DeletedConnections(OrganizationView):
    """What was deleted and can be restored."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        rows = deleted_connections(self.organization)
        known = connectors.connectors()
        context = {
            "nav": "connections",
            "rows": [(row, known.get(row.connector)) for row in rows],
        }
        return render(request, "connections/deleted.html", context)


class Restore(OrganizationView):
    """Begin to restore a connection: its workspace is known, a new secret is asked for."""

    permission = Permission.CONNECT
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, **_: object) -> HttpResponse:
        connection = get_object_or_404(deleted_connections(self.organization), pk=pk)
        draft = drafts.start_draft(
            organization=self.organization,
            connector=connection.connector,
            by=self.user,
            actor=self.actor,
            connection=connection,
        )
        return redirect("connections:wizard_how", self.organization.slug, draft.public_id)


class Join(WizardView):
    """Finish a draft in the connection that it belongs to: restored, or one credential richer."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall | str:
        draft = self.kept_draft
        connection = draft.connection or restoring.same_thing(draft)
        method = self.connector.method(draft.method)
        if connection is None or connection.deleted_at is not None or method.by_consent:
            return "The API has no call for this: a person does it in the browser."
        own = {field.name for field in method.settings}
        settings = {name: value for name, value in draft.settings.items() if name in own}
        body = {"method": method.key, "settings": settings, "secrets": unseen_secrets(method)}
        return ApiCall(method=f"connections/{connection.pk}/credentials.create", body=body)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        slug, draft = self.organization.slug, self.kept_draft
        connection = draft.connection or restoring.same_thing(draft)
        if connection is None:
            return redirect("ingestion:wizard_choose", slug, draft.public_id)
        was_deleted = connection.deleted_at is not None
        try:
            joined = restoring.join_connection(draft=draft, connection=connection, actor=self.actor)
        except Connection.DoesNotExist:
            raise Http404("It is gone for good by now.") from None
        except Refused as error:
            messages.error(request, error.message)
            return redirect("connections:wizard_verify", slug, draft.public_id)
        messages.success(request, self._praise(joined, was_deleted))
        page = "ingestion:connection" if was_deleted else "connections:credentials"
        return redirect(page, slug, joined.pk)

    @staticmethod
    def _praise(connection: Connection, was_deleted: bool) -> str:
        if was_deleted:
            return f"{connection.name} is restored. Its next sync reads what it missed."
        return f"The credential is added to {connection.name}."
