"""Access keys, with which AWS's clients sign. They are listed beside the API keys."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tenants.forms import AccessKeyForm
from tenants.models import AccessKey
from tenants.roles import Permission
from tenants.services import access_keys
from tenants.services.errors import Refused
from tenants.views import once
from tenants.views.base import OrganizationView


class Create(OrganizationView):
    """Makes an access key."""

    permission = Permission.MAKE_API_KEYS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(AccessKeyForm(ceiling=self.membership.role))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AccessKeyForm(request.POST, ceiling=self.membership.role)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            made, secret = access_keys.make_access_key(
                organization=self.organization,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                role=form.cleaned_data["role"],
                expires_at=form.expires_at,
                by=self.actor,
            )
        except Refused as refused:
            form.refuse(refused)
            return self.show(form, status=422)
        once.keep(request, Made.name, pk=str(made.pk), secret=secret)
        return redirect("tenants:access_key_made", self.organization.slug)

    def show(self, form: AccessKeyForm, status: int = 200) -> HttpResponse:
        context = {"nav": "api_keys", "form": form}
        return render(self.request, "tenants/access_key_create.html", context, status=status)


class Made(OrganizationView):
    """Shows the access key that was made, this once."""

    name = "access_key"
    permission = Permission.MAKE_API_KEYS
    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest) -> HttpResponse:
        kept = once.take(request, self.name)
        if kept is None:
            messages.info(request, "A key is shown once. If you have not copied it, make another.")
            return redirect("tenants:api_keys", self.organization.slug)
        rows = AccessKey.objects.for_organization(self.organization)
        made = get_object_or_404(rows, pk=int(kept["pk"]))
        context = {
            "nav": "api_keys",
            "made": made,
            "secret": kept["secret"],
            "endpoint": f"{settings.PUBLIC_URL}/aws/",
        }
        page = render(request, "tenants/access_key_made.html", context)
        page["Cache-Control"] = "no-store"  # the secret is shown this once
        return page


class Revoke(OrganizationView):
    """Asks, then ends an access key."""

    permission = Permission.MAKE_API_KEYS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        context = {"nav": "api_keys", "key": self.key(pk)}
        return render(request, "tenants/api_key_revoke.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self.key(pk)
        try:
            access_keys.revoke_access_key(key=key, by=self.actor)
            messages.success(request, f"The key {key.name} no longer works.")
        except Refused as refused:
            messages.error(request, refused.message)
        return redirect("tenants:api_keys", self.organization.slug)

    def key(self, pk: int) -> AccessKey:
        """An access key of this organization, or 404."""
        rows = AccessKey.objects.for_organization(self.organization)
        row: AccessKey = get_object_or_404(rows, pk=pk)
        return row
