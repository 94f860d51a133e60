"""Keys with which scripts use the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import selectors
from tenants.forms import ApiKeyForm
from tenants.models import ApiKey
from tenants.services.api_keys import make_api_key, revoke_api_key
from tenants.views.base import OrganizationView
from tenants.views.keys import CreateKey, KeyMade, RevokeKey


class ApiKeys(OrganizationView):
    """All keys that still work or did lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {
            "nav": "api_keys",
            "keys": selectors.api_keys_of(self.organization),
            "access_keys": selectors.access_keys_of(self.organization),
        }
        return render(request, "tenants/api_keys.html", context)


class Create(CreateKey):
    """Makes a key."""

    kind, model, form = "api_key", ApiKey, ApiKeyForm
    make = staticmethod(make_api_key)


class Made(KeyMade):
    """Shows the key that was made, this once."""

    kind, model = "api_key", ApiKey


class Revoke(RevokeKey):
    """Asks, then ends a key."""

    kind, model = "api_key", ApiKey
    revoke = staticmethod(revoke_api_key)
