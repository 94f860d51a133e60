"""The webhooks of a connection: how they stand, made, mended, rotated, removed."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string

from connections.models import WebhookSubscription
from connections.services import webhooks
from connections.services.errors import Refused
from connections.services.settling import Done
from connections.services.webhook_status import Hook, Standing, Status, status_of
from connections.transport.errors import ProviderError
from connections.views.base import ConnectionView
from tenants.api_call import ApiCall
from tenants.badges import Badge, badge
from tenants.formats import listed
from tenants.roles import Permission
from tenants.views import once

SHOWN = "webhook_secret"
NAMED = 5  # places that a message names
LISTED = 100  # webhooks on the page
State = WebhookSubscription.State
STANDINGS = {
    Standing.OFF: badge("idle", "○", "Off"),
    Standing.REMOVING: badge("attention", "▲", "Not all removed"),
    Standing.BY_HAND: badge("attention", "▲", "Needs somebody at Bitbucket"),
    Standing.BROKEN: badge("attention", "▲", "Needs repair"),
    Standing.INCOMPLETE: badge("attention", "◑", "Incomplete"),
    Standing.ACTIVE: badge("good", "●", "Active"),
}
DELIVERS = badge("good", "●", "Delivers")
HOOKS = {
    State.ACTIVE: badge("good", "●", "Active"),
    State.INACTIVE: badge("attention", "○", "Switched off at Bitbucket"),
    State.INCOMPLETE: badge("attention", "◑", "Lacks events"),
    State.GONE: badge("bad", "✕", "Gone at Bitbucket"),
}


class Webhooks(ConnectionView):
    """How they stand."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return render(request, "connections/webhooks.html", self.context)

    @property
    def context(self) -> dict[str, Any]:
        latest = import_string(settings.LATEST_DELIVERIES)
        context = {**self.tab_context("webhooks"), "deliveries": latest(self.connection)}
        if self.status is None:
            return context
        arrives = self._arrives(self.status, context["deliveries"])
        hooks = [(one, badge_of(one)) for one in self.status.hooks]
        hooks.sort(key=lambda each: each[1] == HOOKS[State.ACTIVE])  # who needs somebody first
        return {
            **context,
            "status": self.status,
            "badge": DELIVERS if arrives else STANDINGS[self.status.standing],
            "arrives": arrives,
            "hooks": hooks[:LISTED],
            "others": len(hooks[LISTED:]),
        }

    @cached_property
    def status(self) -> Status | None:
        """None where connections of this kind have none."""
        try:
            return status_of(self.connection)
        except Refused:
            return None

    def _arrives(self, status: Status, deliveries: Iterable[Any]) -> bool:
        """Whether what somebody made by hand has delivered since."""
        made = status.secret_made_at
        if status.standing != Standing.BY_HAND or made is None:
            return False
        return any(one.delivery.received_at > made for one in deliveries)

    def call(self, verb: str, **body: object) -> ApiCall:
        """A call on the webhooks of this connection."""
        return ApiCall(method=f"connections/{self.connection.pk}/webhooks.{verb}", body=body)

    def back(self) -> HttpResponse:
        return redirect(
            "connections:connection_webhooks", self.organization.slug, self.connection.pk
        )

    def say(self, done: Done) -> None:
        """What was done, and what stood in the way."""
        for verb, names in (
            ("made", done.created),
            ("repaired", done.mended),
            ("removed", done.removed),
        ):
            if names:
                messages.success(self.request, f"Webhooks {verb}: {_places(names)}.")
        self.say_problem(done.problem)

    def say_problem(self, problem: ProviderError | None) -> None:
        if problem is not None:
            messages.error(self.request, problem.message)


class RegisterWebhooks(Webhooks):
    """Make them, mend them, or give them a new secret."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall:
        return self.call("register", rotate=self.rotates)

    @property
    def rotates(self) -> bool:
        return "rotate" in self.request.POST

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        try:
            done = webhooks.register(connection=self.connection, by=self.actor, rotate=self.rotates)
        except Refused as refused:
            messages.error(request, refused.message)
            return self.back()
        self.say(done)
        if not done.secret:
            if not (done.problem or done.created or done.mended):
                messages.success(request, "Every webhook is as it should be.")
            return self.back()
        once.keep(request, SHOWN, pk=str(self.connection.pk), secret=done.secret)
        return redirect(
            "connections:connection_webhooks_secret", self.organization.slug, self.connection.pk
        )


class WebhookSecretMade(Webhooks):
    """Shows the secret that was made, this once."""

    permission = Permission.CONNECT
    http_method_names = ["get"]  # not HEAD: looking must not spend it

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        kept = once.take(request, SHOWN)
        if kept is None or kept["pk"] != str(self.connection.pk):
            return self.back()
        context = {**self.context, "secret": kept["secret"]}
        page = render(request, "connections/webhooks_secret.html", context)
        page["Cache-Control"] = "no-store"  # the secret is shown this once
        return page


class LookAtWebhooks(Webhooks):
    """Look at Bitbucket how they are now."""

    http_method_names = ["post"]

    def api_call(self, **_: object) -> ApiCall | str:
        return "This is the one read of webhooks that asks Bitbucket: webhooks.status?look=true."

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        self.say_problem(webhooks.look(connection=self.connection, by=self.actor))
        return self.back()


class RemoveWebhooks(Webhooks):
    """Remove them, once more asked."""

    permission = Permission.CONNECT

    def api_call(self, **_: object) -> ApiCall:
        return self.call("remove")

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return render(request, "connections/webhooks_remove.html", self.context)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        try:
            self.say(webhooks.remove(connection=self.connection, by=self.actor))
        except Refused as refused:
            messages.error(request, refused.message)
        return self.back()


def badge_of(hook: Hook) -> Badge:
    """A webhook that hears of less than it should lacks events, whoever changed that."""
    state = State(hook.row.state)
    return HOOKS[State.INCOMPLETE if state == State.ACTIVE and hook.missing else state]


def _places(names: list[str]) -> str:
    more = len(names) - NAMED
    return listed([*names[:NAMED], f"{more:,} more"] if more > 0 else names)
