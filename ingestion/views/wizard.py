"""The wizard's last step: what to sync. It turns the draft into a connection and starts it."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from connections.connectors import connector
from connections.connectors.schema import InvalidFields
from connections.models import Draft
from connections.selectors import draft_of
from connections.services.drafts import choose, finish_draft
from connections.services.errors import (
    AlreadyConnected,
    AlreadyFinished,
    NameTaken,
    NotTicked,
    NotVerified,
    OtherWorkspace,
    ParentRequired,
)
from connections.transport.errors import ProviderError
from ingestion.estimates import estimate_draft, listed
from ingestion.forms.choose import PATTERNS, ChooseForm, initial_of
from ingestion.models import Sync
from ingestion.selectors.drafts import with_verification
from ingestion.selectors.streams import streams_of
from ingestion.services.syncs import ConnectionNotReady, SyncAlreadyRunning, start_sync
from ingestion.words.choice import Preview, preview_of
from ingestion.words.estimates import Told, fastest, told
from tenants.api_call import SECRET, ApiCall
from tenants.roles import Permission
from tenants.views.base import OrganizationView

UNASKED = "name"  # says nothing of what a sync takes
PRESELECT = "preselect"  # the schedule is to be the fastest that fits
ENDED = "This draft was finished, discarded, or is somebody else's."


class ChooseWhatToSync(OrganizationView):
    """Streams, repositories, schedule, name; then the first sync."""

    permission = Permission.CONNECT
    template = "ingestion/wizard_choose.html"

    def get(self, request: HttpRequest, draft: UUID) -> HttpResponse:
        mine = self._draft(draft)
        if not with_verification(mine).is_verified:
            return redirect("connections:wizard_verify", self.organization.slug, draft)
        return self._page(mine, ChooseForm(mine, initial=initial_of(mine)))

    def post(self, request: HttpRequest, draft: UUID) -> HttpResponse:
        mine = self._draft(draft)
        form = ChooseForm(mine, request.POST)
        if not form.is_valid():
            return self._page(mine, form)
        try:
            choose(
                draft=mine,
                name=form.cleaned_data["name"],
                selection=form.selection(),
                schedule=form.chosen_schedule,
            )
            return self._start(finish_draft(draft=mine, actor=self.actor))
        except Draft.DoesNotExist:  # sent twice
            raise Http404(ENDED) from None
        except AlreadyFinished as finished:
            messages.info(request, finished.message)
            return redirect("ingestion:connection", self.organization.slug, finished.connection.pk)
        except NotVerified:
            return redirect("connections:wizard_verify", self.organization.slug, mine.public_id)
        except NameTaken as taken:
            form.add_error("name", taken.message)
        except (
            AlreadyConnected,
            NotTicked,
            OtherWorkspace,
            ParentRequired,
            InvalidFields,
        ) as refused:
            form.add_error(None, refused.message)
            return self._page(mine, form, connected=getattr(refused, "connection", None))
        return self._page(mine, form)

    def api_call(self, **kwargs: Any) -> ApiCall | str:
        draft = self._draft(kwargs["draft"])
        form = ChooseForm(draft, self.request.POST)
        if not form.is_valid():
            return "Mend what is marked, and the call is shown."
        method = connector(draft.connector).method(draft.method)
        if draft.connection is not None or method.by_consent:
            return "Bitbucket's consent and a connection that exists need a browser."
        places = {field.name for field in connector(draft.connector).settings}
        named = {name: value for name, value in draft.settings.items() if name in places}
        own = {field.name for field in method.settings}
        others = {name: value for name, value in draft.settings.items() if name in own}
        secrets = {field.name: SECRET for field in method.secrets}
        body = {
            "type": draft.connector,
            "name": form.cleaned_data["name"],
            "settings": named,
            "credential": {"method": method.key, "settings": others, "secrets": secrets},
            "schedule": form.chosen_schedule,
            "selection": form.selection(),
            **({"parent_id": draft.parent_id} if draft.parent_id else {}),
        }
        return ApiCall(method="connections.create", body=body)

    def _draft(self, public_id: UUID) -> Draft:
        draft = draft_of(self.organization, self.user, public_id)
        if draft is None:
            raise Http404(ENDED)
        return draft

    def _start(self, connection: Any) -> HttpResponse:
        slug = self.organization.slug
        try:
            sync = start_sync(connection=connection, trigger=Sync.Trigger.FIRST, by=self.actor)
        except SyncAlreadyRunning as running:
            sync = running.sync
        except ConnectionNotReady:
            return redirect("ingestion:connection", slug, connection.pk)
        return redirect("ingestion:sync", slug, sync.pk)

    def _page(self, draft: Draft, form: ChooseForm, **more: Any) -> HttpResponse:
        context = {
            "nav": "connections",
            "step": 4,
            "connector": connector(draft.connector),
            "draft": draft,
            "form": form,
            "ticked": _ticked(form),
            "preview": _preview(draft, form),
            **more,
        }
        status = 400 if form.errors else 200
        return render(self.request, self.template, context, status=status)


class EstimateWhatToSync(ChooseWhatToSync):
    """The same page with an estimate of what is chosen; of htmx, the estimate alone."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, draft: UUID) -> HttpResponse:
        is_live = bool(request.headers.get("HX-Request"))
        try:
            mine = self._draft(draft)
        except Http404:
            if not is_live:
                raise
            return HttpResponse(status=HTTPStatus.NO_CONTENT)  # it was finished meanwhile
        form = ChooseForm(mine, request.POST)
        form.is_valid()
        found = self._estimate(mine, form)
        shown = ChooseForm(mine, initial=form.typed())
        if is_live:
            self.template = "ingestion/_estimate_live.html"
        return self._page(mine, shown, estimate=found, is_preselected=PRESELECT in request.POST)

    def _estimate(self, draft: Draft, form: ChooseForm) -> Told | str:
        """What the choice would take in words, or why that cannot be told. Asks Bitbucket."""
        if set(form.errors) - {UNASKED}:
            return "Mend what is marked, and the estimate is made."
        try:
            estimate = estimate_draft(
                draft=draft,
                selection=form.selection(),
                schedule=form.chosen_schedule,
                by=self.actor,
            )
        except InvalidFields as refused:
            return " ".join(refused.fields.values())
        except ProviderError as error:
            return f"No estimate now. {error.message}"
        if PRESELECT in self.request.POST:
            form.preselect(fastest(estimate))
        labels = {stream.key: stream.label for stream in streams_of(draft.connector)}
        timezone = draft.organization.timezone
        return told(estimate, form.chosen_schedule, labels, timezone=timezone)


def _ticked(form: ChooseForm) -> set[str]:
    """The repositories that are ticked, where they are chosen here."""
    return set(form["repositories"].value() or ()) if "repositories" in form.fields else set()


def _preview(draft: Draft, form: ChooseForm) -> Preview | None:
    """What the patterns take in, where they are looked at."""
    if "mode" not in form.fields or form["mode"].value() != PATTERNS:
        return None
    typed = {name: (form[name].value() or "").splitlines() for name in ("include", "exclude")}
    return preview_of(listed(draft), typed)
