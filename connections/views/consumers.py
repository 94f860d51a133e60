"""The organization's own OAuth consumer, on a page of its settings."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from connections import connectors
from connections.connectors.base import Authorizations, Connector, UnknownConnector
from connections.forms import ConsumerForm
from connections.services import consumers
from connections.services.errors import InvalidSettings
from connections.transport.errors import ProviderError
from tenants.roles import Permission
from tenants.views.base import OrganizationView


class OwnConsumers(OrganizationView):
    """Of which connector? The first that is connected by authorizations, until there is another."""

    def get(self, request: HttpRequest) -> HttpResponse:
        for key, kind in connectors.connectors().items():
            if kind.authorizations is not None:
                return redirect("connections:own_consumer", self.organization.slug, key)
        raise Http404("Nothing is connected by authorizations here.")


class OwnConsumer(OrganizationView):
    """Set it, or replace it; it is asked for at the provider before it is stored."""

    write_permission = Permission.CONNECT

    def get(self, request: HttpRequest, connector: str) -> HttpResponse:
        own = consumers.own_consumer(self.organization.pk, self.kind.key)
        initial = {"client_id": own.client_id} if own is not None else {}
        return self.page(ConsumerForm(initial=initial))

    def post(self, request: HttpRequest, connector: str) -> HttpResponse:
        form = ConsumerForm(request.POST)
        if form.is_valid():
            self._store(form)
        if form.errors:
            return self.page(form, status=422)
        messages.success(request, "Bitbucket knows it. The next consents go through it.")
        return redirect("connections:own_consumer", self.organization.slug, self.kind.key)

    def _store(self, form: ConsumerForm) -> None:
        try:
            consumers.set_consumer(
                organization=self.organization,
                connector=self.kind.key,
                **form.cleaned_data,
                by=self.actor,
            )
        except InvalidSettings as error:
            for name, told in error.fields.items():
                form.add_error(name, told)
        except ProviderError as error:
            form.add_error(None, error.message)

    @property
    def kind(self) -> Connector:
        try:
            return connectors.connector(self.kwargs["connector"])
        except UnknownConnector as error:
            raise Http404(str(error)) from error

    @property
    def authorizations(self) -> Authorizations:
        found = self.kind.authorizations
        if found is None:
            raise Http404("This is not connected by an authorization.")
        return found

    def page(self, form: forms.Form, status: int = 200, **more: Any) -> HttpResponse:
        own = consumers.own_consumer(self.organization.pk, self.kind.key)
        context = {
            "nav": "settings",
            "connector": self.kind,
            "authorizations": self.authorizations,
            "callback_url": consumers.callback_url(self.authorizations),
            "own": own,
            "used_by": consumers.connections_through(own) if own is not None else [],
            "form": form,
            **more,
        }
        return render(self.request, "connections/consumer.html", context, status=status)


class RemoveConsumer(OwnConsumer):
    """Back to the installation's consumer for the next consents."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, connector: str) -> HttpResponse:
        own = consumers.own_consumer(self.organization.pk, self.kind.key)
        if own is not None:
            consumers.remove_consumer(consumer=own, by=self.actor)
            messages.success(request, "It is removed. What was given through it goes on.")
        return redirect("connections:own_consumer", self.organization.slug, self.kind.key)
