"""Keys with which scripts use the API."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tenants import selectors
from tenants.forms import ApiKeyForm
from tenants.models import ApiKey
from tenants.roles import Permission
from tenants.services import api_keys
from tenants.services.errors import Refused
from tenants.views import once
from tenants.views.base import OrganizationView


class ApiKeys(OrganizationView):
    """All keys that still work or did lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {
            "nav": "api_keys",
            "keys": selectors.api_keys_of(self.organization),
            "access_keys": selectors.access_keys_of(self.organization),
        }
        return render(request, "tenants/api_keys.html", context)


class Create(OrganizationView):
    """Makes a key."""

    permission = Permission.MAKE_API_KEYS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(ApiKeyForm(ceiling=self.membership.role))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ApiKeyForm(request.POST, ceiling=self.membership.role)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            made, key = api_keys.make_api_key(
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
        once.keep(request, Made.name, pk=str(made.pk), key=key)
        return redirect("tenants:api_key_made", self.organization.slug)

    def show(self, form: ApiKeyForm, status: int = 200) -> HttpResponse:
        context = {"nav": "api_keys", "form": form}
        return render(self.request, "tenants/api_key_create.html", context, status=status)


class Made(OrganizationView):
    """Shows the key that was made, this once."""

    name = "api_key"
    permission = Permission.MAKE_API_KEYS
    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest) -> HttpResponse:
        kept = once.take(request, self.name)
        if kept is None:
            messages.info(request, "A key is shown once. If you have not copied it, make another.")
            return redirect("tenants:api_keys", self.organization.slug)
        rows = ApiKey.objects.for_organization(self.organization)
        made = get_object_or_404(rows, pk=int(kept["pk"]))
        context = {"nav": "api_keys", "made": made, "key": kept["key"]}
        page = render(request, "tenants/api_key_made.html", context)
        page["Cache-Control"] = "no-store"  # the key is shown this once
        return page


class Revoke(OrganizationView):
    """Asks, then ends a key."""

    permission = Permission.MAKE_API_KEYS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        context = {"nav": "api_keys", "key": self.key(pk)}
        return render(request, "tenants/api_key_revoke.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self.key(pk)
        try:
            api_keys.revoke_api_key(key=key, by=self.actor)
            messages.success(request, f"The key {key.name} no longer works.")
        except Refused as refused:
            messages.error(request, refused.message)
        return redirect("tenants:api_keys", self.organization.slug)

    def key(self, pk: int) -> ApiKey:
        """A key of this organization, or 404."""
        row: ApiKey = get_object_or_404(ApiKey.objects.for_organization(self.organization), pk=pk)
        return row
