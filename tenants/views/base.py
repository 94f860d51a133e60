"""The base of every page of an organization: the door, the role, the reader's time zone."""

from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.generic import View

from tenants import access, roles, selectors
from tenants.actor import Actor
from tenants.api_call import ApiCall
from tenants.models import Membership, Organization, User
from tenants.roles import Permission

AS_API_CALL = "as_api_call"  # the button of a form that shows what it would do
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class OrganizationView(View):
    """A page below `/o/<slug:organization>/`.

    Not signed in: the sign-in page. A stranger, or no such organization: 404. Too low a role: 403.
    The organization is entered around the handler and the rendering of its answer. Handlers get
    the other parts of the address only: `def get(self, request, pk)`. Templates get `organization`,
    `membership`, `can` and `admins` from the `frame` context processor.
    """

    permission: ClassVar[Permission] = Permission.READ
    write_permission: ClassVar[Permission | None] = None  # for POST; None: as `permission`

    membership: Membership

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @property
    def user(self) -> User:
        return self.membership.user

    @cached_property
    def actor(self) -> Actor:
        """Who does it, for services and the audit trail."""
        return Actor.for_user(self.user, self.request)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(_way_back(request))
        slug = kwargs.pop("organization")
        self.membership = self._membership(slug)
        request.membership = self.membership  # type: ignore[attr-defined]  # for the frame
        with access.enter(self.organization), timezone.override(self.reader_zone):
            self.require(self._needed())
            if request.method == "POST" and AS_API_CALL in request.POST:
                return self._shown_as_call(**kwargs)
            return _rendered(super().dispatch(request, *args, **kwargs))

    def api_call(self, **kwargs: Any) -> ApiCall | str:
        """What the form would do, as a call of the API; or a sentence that says why there is none.

        It gets the parts of the address, as `post` does, and changes nothing.
        """
        return "The API has no call for this: it is done in the browser."

    def _shown_as_call(self, **kwargs: Any) -> HttpResponse:
        found = self.api_call(**kwargs)
        context = {"said": found} if isinstance(found, str) else {"call": found}
        is_part = self.request.headers.get("X-Part") == "api-call"
        template = "components/_api_call.html" if is_part else "api_call.html"
        return render(self.request, template, context)

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A page that says so: somebody opened an address that only takes what a form sends."""
        response: HttpResponse = super().http_method_not_allowed(request, *args, **kwargs)
        response.content = render_to_string("405.html", request=request).encode()
        return response

    def require(self, permission: Permission) -> None:
        """Go on only if the member's role allows this. Raises PermissionDenied, with a sentence."""
        if roles.allows(self.membership.role, permission):
            return
        raise PermissionDenied(selectors.refusal(self.membership, permission))

    @property
    def reader_zone(self) -> ZoneInfo:
        """The time zone in which this reader sees dates: one's own, else the organization's."""
        return ZoneInfo(self.user.timezone or self.organization.timezone)

    def _needed(self) -> Permission:
        if self.request.method in SAFE_METHODS:
            return self.permission
        return self.write_permission or self.permission

    def _membership(self, slug: str) -> Membership:
        membership = selectors.membership_of(self.request.user, slug)
        if membership is None:
            raise Http404("You belong to no organization of this name.")
        return membership


def _way_back(request: HttpRequest) -> str:
    """Where one goes on after signing in: for a form, the page that it stood on."""
    if request.method in SAFE_METHODS:
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    if f"{came_from.scheme}://{came_from.netloc}" == settings.PUBLIC_URL and came_from.path:
        return came_from._replace(scheme="", netloc="", fragment="").geturl()
    return reverse("tenants:home")


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    """Render a TemplateResponse now, while the organization is entered."""
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        return response.render()
    return response
