"""What the pages of both kinds of keys share: made, shown once, revoked."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tenants.forms import ApiKeyForm
from tenants.models import AccessKey, ApiKey
from tenants.roles import Permission
from tenants.services.errors import Refused
from tenants.views import once
from tenants.views.base import OrganizationView

Key = ApiKey | AccessKey


class OfKeys(OrganizationView):
    """The base of what makes, shows and ends keys of one kind."""

    permission = Permission.MAKE_API_KEYS
    kind: ClassVar[str]  # as addresses and templates name it
    model: ClassVar[type[Key]]

    def key(self, pk: int) -> Key:
        """A key of this organization, or 404."""
        rows = self.model.objects.for_organization(self.organization)
        row: Key = get_object_or_404(rows, pk=pk)
        return row

    def page(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        return render(self.request, template, {"nav": "api_keys", **context}, status=status)

    def back(self) -> HttpResponse:
        return redirect("tenants:api_keys", self.organization.slug)


class CreateKey(OfKeys):
    """Makes a key. `make` gives the row and what is shown this once."""

    form: ClassVar[type[ApiKeyForm]]
    make: ClassVar[Callable[..., tuple[Key, str]]]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(self.form(ceiling=self.membership.role))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST, ceiling=self.membership.role)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            made, secret = self.make(
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
        once.keep(request, self.kind, pk=str(made.pk), secret=secret)
        return redirect(f"tenants:{self.kind}_made", self.organization.slug)

    def show(self, form: ApiKeyForm, status: int = 200) -> HttpResponse:
        return self.page(f"tenants/{self.kind}_create.html", {"form": form}, status)


class KeyMade(OfKeys):
    """Shows the key that was made, this once."""

    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest) -> HttpResponse:
        kept = once.take(request, self.kind)
        if kept is None:
            messages.info(request, "A key is shown once. If you have not copied it, make another.")
            return self.back()
        made = self.key(int(kept["pk"]))
        context = {"made": made, "secret": kept["secret"], **self.more()}
        page = self.page(f"tenants/{self.kind}_made.html", context)
        page["Cache-Control"] = "no-store"  # the secret is shown this once
        return page

    def more(self) -> dict[str, str]:
        """What else the page tells."""
        return {}


class RevokeKey(OfKeys):
    """Asks, then ends a key."""

    revoke: ClassVar[Callable[..., None]]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page("tenants/api_key_revoke.html", {"key": self.key(pk)})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self.key(pk)
        try:
            self.revoke(key=key, by=self.actor)
            messages.success(request, f"The key {key.name} no longer works.")
        except Refused as refused:
            messages.error(request, refused.message)
        return self.back()
