"""Where one lands: one's organization, or the way to a first one."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import View

from tenants import selectors


class Home(LoginRequiredMixin, View):
    """The first organization; an invitation that one holds; or how to get one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if selectors.is_invited(request.session):
            return redirect("tenants:join")
        membership = selectors.memberships_of(request.user).first()
        if membership is not None:
            return redirect("ingestion:overview", membership.organization.slug)
        return render(request, "tenants/home.html")
