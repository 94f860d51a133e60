"""The credentials of a connection: list, add, test, replace, switch off, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from connections import selectors
from connections.selectors import standings_of
from connections.services import credentials, verification
from connections.services.errors import (
    VerificationsTooMany,
)
from connections.services.selections import needless_scopes
from connections.views.base import (
    ConnectionView,
    CredentialView,
)
from connections.views.findings import read_credential
from tenants.api_call import ApiCall
from tenants.mail import sends_mail
from tenants.roles import Permission


class CredentialList(ConnectionView):
    """All credentials of a connection."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        rows = list(self.connection.credentials.filter(deleted_at=None).select_related("grant"))
        standing = standings_of(rows)
        context = {
            **self.tab_context("credentials"),
            "credentials": [
                (
                    row,
                    self.connector.method(row.method).name_of(row.kind),
                    standing[row.pk],
                    needless_scopes(row),
                )
                for row in rows
            ],
            "links": selectors.links_of(self.connection),
            "sends_mail": sends_mail(),
        }
        return render(request, "connections/credentials.html", context)


class CredentialTest(CredentialView):
    """The last verification of a credential; a POST runs a new one."""

    def api_call(self, **_: object) -> ApiCall:
        return self.of_credential("verify")

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        context = {**self.tab_context("credentials"), **self.verification_context}
        return render(request, "connections/credential_test.html", context)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        self.begin()
        return redirect(
            "connections:credential_test",
            self.organization.slug,
            self.connection.pk,
            self.credential.pk,
        )

    def begin(self) -> None:
        try:
            verification.begin_credential_verification(credential=self.credential, by=self.actor)
        except VerificationsTooMany as error:
            messages.error(self.request, error.message)

    @property
    def verification_context(self) -> dict[str, Any]:
        latest = self.credential.verifications.order_by("-id").first()
        return {
            "connection": self.connection,
            "credential": self.credential,
            "method": self.method,
            "verification": latest,
            "finding": read_credential(self.connection, latest, self.connector) if latest else None,
        }


class CredentialTestLive(CredentialTest):
    """The part of that page that fills while the checks run."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return render(request, "connections/_test.html", self.verification_context)


class CredentialDisable(CredentialView):
    """Switch a credential off."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return self.of_credential("disable")

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        where = (self.organization.slug, self.connection.pk)
        credentials.disable_credential(credential=self.credential, by=self.actor)
        undo = reverse("connections:credential_enable", args=(*where, self.credential.pk))
        said = f"{self.credential.label} is off. It is kept, and not used."
        messages.success(request, said, extra_tags=f"undo:{undo}")
        return redirect("connections:credentials", *where)


class CredentialEnable(CredentialView):
    """Switch a credential on again."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return self.of_credential("enable")

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        credentials.enable_credential(credential=self.credential, by=self.actor)
        messages.success(request, f"{self.credential.label} is used again.")
        return redirect("connections:credentials", self.organization.slug, self.connection.pk)


class CredentialDelete(CredentialView):
    """Says what deleting a credential does, and does it."""

    permission = Permission.CONNECT

    def api_call(self, **_: object) -> ApiCall:
        return self.of_credential("delete")

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        others = self.connection.credentials.filter(deleted_at=None, disabled_at=None)
        context = {
            **self.tab_context("credentials"),
            "credential": self.credential,
            "is_last": not others.exclude(pk=self.credential.pk).exists(),
        }
        return render(request, "connections/credential_delete.html", context)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        credentials.delete_credential(credential=self.credential, by=self.actor)
        messages.success(request, f"{self.credential.label} is deleted and its secret erased.")
        return redirect("connections:credentials", self.organization.slug, self.connection.pk)
