"""What a person sets for oneself."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import View

from tenants.forms import AccountForm
from tenants.models import User
from tenants.services.accounts import update_account
from tenants.services.errors import Refused

YEAR = 31_536_000  # seconds


class Account(LoginRequiredMixin, View):
    """Name, time zone, theme; the rest of an account is on allauth's pages."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(AccountForm.of(self.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AccountForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            update_account(user=self.user, **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
            return self.show(form, status=422)
        messages.success(request, "Saved.")
        answer = redirect("tenants:account")
        # The switch in the frame keeps its choice here, too; it must not win over this one.
        answer.set_cookie("theme", self.user.theme, max_age=YEAR, samesite="Lax")
        return answer

    def show(self, form: AccountForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "nav": "account"}
        return render(self.request, "tenants/account.html", context, status=status)

    @property
    def user(self) -> User:
        return cast(User, self.request.user)
