"""The authorizations of an organization: whose, for what, used by which connections."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from connections import connectors, selectors
from connections.models import Grant
from connections.services import granting
from tenants.formats import listed
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class Authorizations(OrganizationView):
    """All that hold, and those that ended while connections need them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {
            "nav": "connections",
            "authorizations": selectors.grants_in_use(self.organization),
            "withdrawn_at": _withdrawn_at(),
        }
        return render(request, "connections/authorizations.html", context)


class RevokeAuthorization(OrganizationView):
    """Says which connections use it, then erases it."""

    permission = Permission.CONNECT

    def get(self, request: HttpRequest, grant: int) -> HttpResponse:
        found = self._grant(grant)
        context = {
            "nav": "connections",
            "grant": found,
            "use": selectors.with_connections([found])[0],
            "withdrawn_at": _withdrawn_at(),
        }
        return render(request, "connections/authorization_revoke.html", context)

    def post(self, request: HttpRequest, grant: int) -> HttpResponse:
        found = self._grant(grant)
        names = granting.revoke_grant(grant=found, by=self.actor)
        said = f"The authorization of {found.identity_name or 'this account'} is erased here."
        if names:
            said += f" {listed(names)} need{'s' if len(names) == 1 else ''} another one."
        messages.success(request, said)
        return redirect("connections:authorizations", self.organization.slug)

    def _grant(self, pk: int) -> Grant:
        rows = Grant.objects.for_organization(self.organization).filter(secrets__isnull=False)
        found: Grant = get_object_or_404(rows.select_related("made_by"), pk=pk)
        return found


def _withdrawn_at() -> str:
    """Where the owner of an account withdraws what was allowed, where there is such a page."""
    found = (kind.authorizations for kind in connectors.connectors().values())
    return next((one.withdrawn_at for one in found if one is not None), "")
