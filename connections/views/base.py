"""What the pages of connections have in common: they look their row up through the organization."""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.module_loading import import_string

from connections import connectors, selectors
from connections.connectors.base import Connector, Field, Method, UnknownConnector, UnknownMethod
from connections.models import Connection, Credential, Draft
from connections.services import drafts, verification
from connections.services.errors import VerificationsTooMany
from connections.services.trail import TriedFor
from tenants.actor import Actor
from tenants.api_call import SECRET, ApiCall
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class ConnectionView(OrganizationView):
    """A page of one connection. Everybody reads it; who may connect may change it."""

    write_permission = Permission.CONNECT

    @cached_property
    def connection(self) -> Connection:
        rows = Connection.objects.for_organization(self.organization).filter(deleted_at=None)
        found: Connection = get_object_or_404(
            rows.select_related("organization"), pk=self.kwargs["pk"]
        )
        return found

    @cached_property
    def connector(self) -> Connector:
        return connectors.connector(self.connection.connector)

    def tab_context(self, active: str) -> dict[str, Any]:
        """What every tab shows above its content. The head comes from an app above this one."""
        head: Callable[[Connection], dict[str, Any]] = import_string(settings.CONNECTION_HEAD)
        return {
            "nav": "connections",
            "active": active,
            "connection": self.connection,
            "connector": self.connector,
            **head(self.connection),
        }


class CredentialView(ConnectionView):
    """A page of one credential of one connection."""

    @cached_property
    def credential(self) -> Credential:
        rows = Credential.objects.for_organization(self.organization)
        found: Credential = get_object_or_404(
            rows.filter(connection=self.connection, deleted_at=None), pk=self.kwargs["credential"]
        )
        return found

    @cached_property
    def method(self) -> Method:
        return self.connector.method(self.credential.method)

    def of_credential(self, verb: str) -> ApiCall:
        """A call on this credential that takes its id alone."""
        method = f"connections/{self.connection.pk}/credentials.{verb}"
        return ApiCall(method=method, body={"id": self.credential.pk})


class WizardView(OrganizationView):
    """A step of the wizard. The address names a connector, or the draft that knows it."""

    permission = Permission.CONNECT

    @cached_property
    def draft(self) -> Draft | None:
        """The draft in the address, if it has one. Only its author finds it."""
        public_id: uuid.UUID | None = self.kwargs.get("draft")
        if public_id is None:
            return None
        found = selectors.draft_of(self.organization, self.user, public_id)
        if found is None:
            raise Http404("This unfinished connection is gone. Begin a new one.")
        return found

    def begun(self) -> Draft:
        """The draft of this step, begun where there is none yet."""
        return self.draft or drafts.start_draft(
            organization=self.organization,
            connector=self.connector.key,
            by=self.user,
            actor=self.actor,
        )

    @property
    def tried_for(self) -> TriedFor:
        """What a secret that is typed here is for, in the audit trail."""
        return self.draft or (self.organization.pk, self.connector.key, "")

    @property
    def kept_draft(self) -> Draft:
        """The draft, on steps whose address always has one."""
        if self.draft is None:
            raise Http404
        return self.draft

    @cached_property
    def connector(self) -> Connector:
        key = self.draft.connector if self.draft else self.kwargs["connector"]
        try:
            return connectors.connector(key)
        except UnknownConnector as error:
            raise Http404(str(error)) from error

    @cached_property
    def method(self) -> Method:
        try:
            return self.connector.method(self.kwargs["method"])
        except UnknownMethod as error:
            raise Http404(str(error)) from error

    @property
    def step_context(self) -> dict[str, Any]:
        """What the frame of every step shows."""
        return {"nav": "connections", "connector": self.connector, "draft": self.draft}


def misfit(form: forms.Form, but: Collection[str] = ()) -> str:
    """A sentence that names what does not fit yet; empty where all but these fields do."""
    names = [
        str(form.fields[name].label) if name in form.fields else "the choice"
        for name in form.errors
        if name not in but
    ]
    return f"Mend this first: {', '.join(names)}." if names else ""


def optional_places(kind: Connector) -> tuple[Field, ...]:
    """The fields of what is connected; where they are left empty, the secret is asked."""
    told = "Empty: the token is asked."
    return tuple(
        replace(field, required=False, help=f"{field.help}. {told}") for field in kind.settings
    )


def unseen_secrets(method: Method) -> dict[str, str]:
    """The secrets of a method, as they stand in a call that is shown."""
    return {field.name: SECRET for field in method.secrets}


def begin_checks(request: HttpRequest, draft: Draft, by: Actor) -> None:
    """Let the checks of a draft run, or say why not now."""
    try:
        verification.begin_draft_verification(draft=draft, by=by)
    except VerificationsTooMany as error:
        messages.error(request, error.message)


def about_method(method: Method, known: Mapping[str, str]) -> dict[str, Any]:
    """What the pages show of a method: its scopes as one line to copy, and where one is made.

    `known` holds the settings of the connection that were entered so far.
    """
    return {
        "method": method,
        "scope_names": " ".join(scope.name for scope in method.scopes if not scope.writes),
        "make_url": _make_url(method.made_at, known),
        "kinds": [(kind, _make_url(kind.made_at, known)) for kind in method.kinds],
    }


def _make_url(made_at: str, known: Mapping[str, str]) -> str:
    """The page where one is made; empty where it is not known of what."""
    names = {name: quote(known.get(name, ""), safe="") for name in ("workspace", "repository")}
    if any(f"{{{name}}}" in made_at and not value for name, value in names.items()):
        return ""
    return made_at.format(**names)
