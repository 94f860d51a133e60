"""Makes an organization, and changes one."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import View

from tenants.actor import Actor
from tenants.forms import OrganizationForm
from tenants.models import User
from tenants.roles import Permission
from tenants.services import organizations
from tenants.services.errors import Refused
from tenants.views.base import OrganizationView


class Create(LoginRequiredMixin, View):
    """A new organization, whose owner one is."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(OrganizationForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = OrganizationForm(request.POST)
        if not form.is_valid() or not isinstance(request.user, User):
            return self.show(form, status=422)
        try:
            made = organizations.create_organization(
                **form.cleaned_data, owner=request.user, by=Actor.for_user(request.user, request)
            )
        except Refused as refused:
            form.refuse(refused)
            return self.show(form, status=422)
        return redirect("ingestion:overview", made.slug)

    def show(self, form: OrganizationForm, status: int = 200) -> HttpResponse:
        return render(
            self.request, "tenants/organization_create.html", {"form": form}, status=status
        )


class Settings(OrganizationView):
    """Name and time zone of an organization."""

    write_permission = Permission.MANAGE_ORGANIZATION

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(OrganizationForm.of(self.organization))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = OrganizationForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            organizations.update_organization(
                organization=self.organization, **form.cleaned_data, by=self.actor
            )
        except Refused as refused:
            form.refuse(refused)
            return self.show(form, status=422)
        messages.success(request, "Saved.")
        return redirect("tenants:settings", self.organization.slug)

    def show(self, form: OrganizationForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "nav": "settings"}
        return render(self.request, "tenants/settings.html", context, status=status)
