"""The settings of a connection: name, streams, history window, schedule, pause, delete."""

from typing import Any

from django.conf import settings
from django.conf import settings as django_settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from connections.forms import DeleteForm, SettingsForm
from connections.models import Connection
from connections.services import connections, schedules, verification
from connections.services.errors import (
    ConnectionInUse,
    InvalidSettings,
    NameTaken,
    VerificationsTooMany,
)
from connections.views.base import ConnectionView, misfit
from tenants import formats
from tenants.api_call import ApiCall

FIELDS = {
    "name": "name",
    "selection.since": "since",
    "selection.streams": "streams",
}  # of the form, by those of the services


class Settings(ConnectionView):
    """Name, streams, history window, schedule and the danger zone."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.page(SettingsForm(connection=self.connection))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        form = SettingsForm(request.POST, connection=self.connection)
        if not form.is_valid() or not self._save(form):
            return self.page(form, status=422)
        messages.success(request, _saved(form))
        return redirect(
            "connections:connection_settings", self.organization.slug, self.connection.pk
        )

    def api_call(self, **_: object) -> ApiCall | str:
        form = SettingsForm(self.request.POST, connection=self.connection)
        if not form.is_valid():
            return misfit(form)
        body: dict[str, Any] = {
            "id": self.connection.pk,
            "name": form.cleaned_data["name"],
            "schedule": form.chosen_schedule,
            "tags": form.chosen_tags,
        }
        if form.choices:
            body["selection"] = {**self.connection.selection, **form.choices}
        return ApiCall(method="connections.update", body=body)

    def _save(self, form: SettingsForm) -> bool:
        schedule = form.chosen_schedule  # left out where it stays: the next sync stays, too
        try:
            connections.update_connection(
                connection=self.connection,
                name=form.cleaned_data["name"],
                schedule=schedule if schedule != self.connection.schedule else None,
                choices=form.choices or None,
                tags=form.chosen_tags if "tags" in form.data else None,
                by=self.actor,
            )
        except NameTaken as error:
            form.add_error("name", error.message)
        except InvalidSettings as error:
            for name, message in error.fields.items():
                field = "tags" if name.startswith("tags") else FIELDS.get(name, "cron")
                form.add_error(field, message)
        return form.is_valid()

    def page(
        self,
        form: SettingsForm,
        *,
        delete: DeleteForm | None = None,
        status: int = 200,
        **more: Any,
    ) -> HttpResponse:
        context = {
            **self.tab_context("settings"),
            "form": form,
            "zone": form.timezone,
            "credential_count": self.connection.credentials.filter(deleted_at=None).count(),
            "delete_form": delete or DeleteForm(connection=self.connection),
            "next_runs": schedules.coming_runs(self.connection),
            "passes": _passes(self.connection),
            "kept_days": django_settings.DELETED_CONNECTIONS_KEPT,
            "dependents": self.connection.children.filter(deleted_at=None),
            **more,
        }
        return render(self.request, "connections/settings.html", context, status=status)


def _saved(form: SettingsForm) -> str:
    """That it is saved, and when what was changed of the streams takes effect."""
    streams = set(form.choices.get("streams", form.wanted))
    if streams - set(form.wanted):
        return "Saved. What is new is verified now and read from the next sync on."
    if set(form.wanted) - streams:
        return "Saved. What is left out is read no more; its records stay."
    return "Saved."


def _passes(connection: Connection) -> dict[str, Any] | None:
    """What the schedule takes, from the app above that copies."""
    told: dict[str, Any] | None = import_string(settings.SCHEDULE_SENTENCE)(connection)
    return told


class Delete(Settings):
    """Delete a connection whose name was typed."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return ApiCall(method="connections.delete", body={"id": self.connection.pk})

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        typed = DeleteForm(request.POST, connection=self.connection)
        form = SettingsForm(connection=self.connection)
        if not typed.is_valid():
            return self.page(form, delete=typed, status=422)
        try:
            connections.delete_connection(connection=self.connection, by=self.actor)
        except ConnectionInUse as error:
            typed.add_error("confirm", error.message)
            return self.page(form, delete=typed, status=409)
        until = formats.day(timezone.localtime(self.connection.restorable_until).date())
        said = f"{self.connection.name} is deleted and its secrets are erased. Until {until} it can"
        messages.success(request, f"{said} be restored with a new secret.")
        return redirect("connections:deleted", self.organization.slug)


class Pause(ConnectionView):
    """Stop syncing, and keep everything."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return ApiCall(method="connections.disable", body={"id": self.connection.pk})

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        where = (self.organization.slug, self.connection.pk)
        connections.disable_connection(connection=self.connection, by=self.actor)
        undo = reverse("connections:connection_resume", args=where)
        said = f"{self.connection.name} is paused. Its records stay."
        messages.success(request, said, extra_tags=f"undo:{undo}")
        return redirect("connections:connection_settings", *where)


class RenameRead(ConnectionView):
    """Somebody has read that the workspace is called otherwise now."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        connections.note_rename_read(connection=self.connection)
        return redirect("ingestion:connection", self.organization.slug, self.connection.pk)


class Resume(ConnectionView):
    """Go on after a pause."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return ApiCall(method="connections.enable", body={"id": self.connection.pk})

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        connections.enable_connection(connection=self.connection, by=self.actor)
        messages.success(request, f"{self.connection.name} goes on.")
        return redirect("ingestion:connection", self.organization.slug, self.connection.pk)


class VerifyNow(ConnectionView):
    """Verify the credential that is used first, and show its checks."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return ApiCall(method="connections.verify", body={"id": self.connection.pk})

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        slug, pk = self.organization.slug, self.connection.pk
        rows = self.connection.credentials.filter(deleted_at=None, disabled_at=None)
        credential = rows.order_by("id").first()
        if credential is None:
            messages.error(request, "There is no credential to verify. Add one.")
            return redirect("connections:credentials", slug, pk)
        try:
            verification.begin_credential_verification(credential=credential, by=self.actor)
        except VerificationsTooMany as error:
            messages.error(request, error.message)
        return redirect("connections:credential_test", slug, pk, credential.pk)
