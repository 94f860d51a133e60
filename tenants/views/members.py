"""Who belongs to an organization, and who is invited."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from tenants import selectors
from tenants.forms import InvitationForm, RoleForm
from tenants.models import Invitation, Membership
from tenants.roles import Permission, Role
from tenants.services import invitations, members
from tenants.services.errors import Refused
from tenants.views import once
from tenants.views.base import OrganizationView


class MembersView(OrganizationView):
    """A page about members."""

    def show(self, form: InvitationForm, *, status: int = 200, **more: object) -> HttpResponse:
        """The page of all members, with the form that invites."""
        context = {
            "nav": "members",
            "members": selectors.members_of(self.organization),
            "is_only_owner": selectors.is_only_owner(self.membership),
            "invitations": selectors.invitations_of(self.organization),
            "roles": Role.choices,
            "form": form,
            **more,
        }
        return render(self.request, "tenants/members.html", context, status=status)

    def back(self) -> HttpResponse:
        return redirect("tenants:members", self.organization.slug)

    def member(self, pk: int) -> Membership:
        """A member of this organization, or 404."""
        return get_object_or_404(selectors.members_of(self.organization), pk=pk)


class Members(MembersView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(InvitationForm())


class Invite(MembersView):
    """Makes an invitation, then shows its link, this once."""

    name = "invitation"
    permission = Permission.MANAGE_MEMBERS
    http_method_names = ["get", "post"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest) -> HttpResponse:
        kept = once.take(request, self.name)
        if kept is None:
            return self.back()
        rows = selectors.invitations_of(self.organization)
        invitation = get_object_or_404(rows, pk=int(kept["pk"]))
        page = self.show(InvitationForm(), invitation=invitation, link=kept["link"])
        page["Cache-Control"] = "no-store"  # the link is shown this once
        return page

    def post(self, request: HttpRequest) -> HttpResponse:
        form = InvitationForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            invitation, token = invitations.invite(
                organization=self.organization, **form.cleaned_data, by=self.actor
            )
        except Refused as refused:
            form.refuse(refused)
            return self.show(form, status=422)
        link = settings.PUBLIC_URL + reverse("tenants:invitation_accept", args=[token])
        once.keep(request, self.name, pk=str(invitation.pk), link=link)
        return redirect("tenants:invitation_create", self.organization.slug)


class RevokeInvitation(MembersView):
    permission = Permission.MANAGE_MEMBERS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = Invitation.objects.for_organization(self.organization)
        try:
            invitations.revoke(invitation=get_object_or_404(rows, pk=pk), by=self.actor)
            messages.success(request, "The link no longer works.")
        except Refused as refused:
            messages.error(request, refused.message)
        return self.back()


class ChangeRole(MembersView):
    permission = Permission.MANAGE_MEMBERS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        member = self.member(pk)
        form = RoleForm(request.POST)
        if not form.is_valid():
            return self.show(InvitationForm(), status=422, problem="Choose one of the roles.")
        try:
            changed = members.change_role(
                membership=member, role=form.cleaned_data["role"], by=self.actor
            )
        except Refused as refused:
            return self.show(InvitationForm(), status=409, problem=refused.message)
        messages.success(request, f"{member.user} is {changed.get_role_display().lower()} now.")
        return self.back()


class Remove(MembersView):
    """Asks, then removes a member."""

    permission = Permission.MANAGE_MEMBERS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        member = self.member(pk)
        context = {"nav": "members", "member": member, "acting": selectors.acting_as(member)}
        return render(request, "tenants/member_remove.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        member = self.member(pk)
        try:
            members.remove_member(membership=member, by=self.actor)
        except Refused as refused:
            return self.show(InvitationForm(), status=409, problem=refused.message)
        if member.user_id == self.user.pk:
            return redirect("tenants:home")
        messages.success(request, f"{member.user} is no longer a member.")
        return self.back()


class Leave(Remove):
    """Asks, then removes oneself: every member may."""

    permission = Permission.READ

    def member(self, pk: int) -> Membership:
        if pk != self.membership.pk:
            raise Http404("This is somebody else.")
        return self.membership
