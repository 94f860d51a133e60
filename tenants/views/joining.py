"""From the link of an invitation into the organization."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from tenants import access, selectors
from tenants.actor import Actor
from tenants.models import Invitation, Organization, User
from tenants.services import invitations
from tenants.services.errors import Refused


@method_decorator(csrf_exempt, name="dispatch")  # a refusal would put the address into the log
class FollowLink(View):
    """`/join/<token>`: from now on this browser holds the invitation, not the address."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        invitation = selectors.invitation_of_token(token)
        if invitation and selectors.is_member(request.user, invitation.organization):
            context = {"organization": invitation.organization}
            return render(request, "tenants/join_already.html", context)
        if invitation is None or not selectors.open_invitations().filter(pk=invitation.pk).exists():
            return render(
                request,
                "tenants/join_ended.html",
                {"sentence": selectors.why_ended(invitation)},
                status=410 if invitation else 404,
            )
        request.session[selectors.HELD_INVITATION] = invitation.pk
        return redirect("tenants:join")


@method_decorator(never_cache, name="dispatch")
class Join(View):
    """Says who invites to what; going on is a POST by somebody signed in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        invitation = selectors.held_invitation(request.session)
        if invitation is None:
            return self.without(request, status=404)
        address = {"next": reverse("tenants:join")}
        known = {**address, "email": invitation.email} if invitation.email else address
        context = {
            "invitation": invitation,
            "sign_in_url": f"{reverse('account_login')}?{urlencode(address)}",
            "sign_up_url": f"{reverse('account_signup')}?{urlencode(known)}",
        }
        return render(request, "tenants/join.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        invitation = selectors.held_invitation(request.session)
        if invitation is None:
            return self.without(request, status=410)
        with access.enter(invitation.organization_id):
            return self.accept(request, request.user, invitation)

    def accept(self, request: HttpRequest, user: User, invitation: Invitation) -> HttpResponse:
        del request.session[selectors.HELD_INVITATION]
        try:
            membership = invitations.accept(
                invitation=invitation, user=user, by=Actor.for_user(user, request)
            )
        except Refused as refused:
            context = {"sentence": refused.message}
            return render(request, "tenants/join_ended.html", context, status=410)
        return self.welcome(request, membership.organization)

    def without(self, request: HttpRequest, status: int) -> HttpResponse:
        """Whoever signed up with the invitation is in; for others there is none."""
        used = selectors.used_invitation(request.session, request.user)
        if used is None:
            return render(request, "tenants/join_ended.html", {}, status=status)
        del request.session[selectors.HELD_INVITATION]
        return self.welcome(request, used.organization)

    def welcome(self, request: HttpRequest, organization: Organization) -> HttpResponse:
        list(messages.get_messages(request))  # read, so gone: “You are signed in” says no more
        messages.success(request, f"Welcome to {organization.name}.")
        return redirect("ingestion:overview", organization.slug)
