"""Connect links as members see them: made, shown once, listed, revoked."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from connections.models import ConnectLink
from connections.services import links
from connections.services.errors import Refused
from connections.views.base import ConnectionView
from tenants.api_call import ApiCall
from tenants.roles import Permission
from tenants.views import once

SHOWN = "connect_link"


def link_address(token: str) -> str:
    """What is sent to somebody: the address of a connect link."""
    return f"{settings.PUBLIC_URL}{reverse('connections:connect_follow', args=[token])}"


def show_once(request: HttpRequest, link: ConnectLink, token: str) -> HttpResponse:
    """On to the page that shows the link, this once."""
    once.keep(request, SHOWN, pk=str(link.pk), link=link_address(token))
    where = (link.organization.slug, link.connection_id)
    return redirect("connections:link_made", *where)


class MakeLink(ConnectionView):
    """Make a link for somebody outside the organization."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall | str:
        return ApiCall(method="connections.link", body={"id": self.connection.pk})

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        try:
            link, token = links.make_link(connection=self.connection, by=self.actor, user=self.user)
        except Refused as refused:
            messages.error(request, refused.message)
            return self.back()
        return show_once(request, link, token)

    def back(self) -> HttpResponse:
        """To where the links of this connection are listed."""
        is_pending = not self.connection.identity
        page = "connection_finish" if is_pending else "credentials"
        return redirect(f"connections:{page}", self.organization.slug, self.connection.pk)


class LinkMade(MakeLink):
    """Shows the link that was made, this once."""

    permission = Permission.CONNECT
    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        kept = once.take(request, SHOWN)
        if kept is None:
            return self.back()
        rows = ConnectLink.objects.for_organization(self.organization)
        link = get_object_or_404(rows, pk=int(kept["pk"]), connection=self.connection)
        context = {
            "nav": "connections",
            "connection": self.connection,
            "link": link,
            "address": kept["link"],
        }
        page = render(request, "connections/link_made.html", context)
        page["Cache-Control"] = "no-store"  # the link is shown this once
        return page


class RevokeLink(MakeLink):
    """End a link that nobody used yet."""

    def api_call(self, **_: object) -> ApiCall | str:
        return "The API has no call for this: a link is revoked in the browser."

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        rows = ConnectLink.objects.for_organization(self.organization)
        link = get_object_or_404(rows, pk=self.kwargs["link"], connection=self.connection)
        try:
            links.revoke_link(link=link, by=self.actor)
            messages.success(request, "The link no longer works.")
        except Refused as refused:
            messages.error(request, refused.message)
        return self.back()
