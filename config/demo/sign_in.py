"""The demo's link: signs one in as its owner. There only while a demo runs."""

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from tenants.models import User


def sign_in(request: HttpRequest, key: str) -> HttpResponse:
    """Sign in as the demo's owner, if the key is the one that this start of the demo made."""
    if not settings.DEMO_KEY or not constant_time_compare(key, settings.DEMO_KEY):
        raise Http404
    owner = User.objects.get(email=settings.DEMO_OWNER)
    login(request, owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("tenants:home")
