"""The list of connections, and the page of one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from connections.connectors.schema import InvalidFields
from connections.models import Connection
from ingestion.forms.filters import (
    ConnectionFilter,
    RepositoriesOfConnectionFilter,
    SyncsOfConnectionFilter,
)
from ingestion.forms.patterns import PatternsForm
from ingestion.forms.repositories import RepositoryChoice
from ingestion.models import Repository
from ingestion.selectors import connections as selectors
from ingestion.selectors.comparison import comparison_of
from ingestion.selectors.coverage import coverage_by_repository, coverage_by_stream, many_gone
from ingestion.selectors.reach import windows
from ingestion.selectors.records import repositories_of_connection
from ingestion.selectors.syncs import filter_syncs, syncs_of
from ingestion.services.gone import confirm_gone
from ingestion.services.repositories import (
    ChoiceChanged,
    Chosen,
    restore_choice,
    select_all,
    select_by_patterns,
    select_repositories,
)
from ingestion.views.paging import page_of
from ingestion.views.syncs import described
from ingestion.words.choice import Preview, preview_of
from ingestion.words.head import connection_head
from tenants.api_call import ApiCall
from tenants.roles import Permission
from tenants.views.base import AS_API_CALL, OrganizationView

CHOICE_BEFORE = "choice_before"  # in a session: a connection's id, what was chosen before, a mark


class ConnectionList(OrganizationView):
    """All connections: search, filters, order, pages."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = ConnectionFilter(self.organization, request.GET)
        found, count, needs_you = selectors.search_connections(self.organization, form.values)
        page = page_of(request, found, count=count)
        context = {
            "nav": "connections",
            "counts": {"needs_you": needs_you},
            "filter": form,
            "page": page,
            "rows": selectors.rows(list(page.object_list)),
        }
        return render(request, "ingestion/connections.html", context, status=form.status)


class QuotaPage(OrganizationView):
    """Each window of requests: who asks in it, what is left, when more comes."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = windows(self.organization.pk)
        context = {
            "nav": "connections",
            "windows": found,
            "used_up": sum(not quota.left for quota, _ in found),
        }
        return render(request, "ingestion/quota.html", context)


class OfConnection(OrganizationView):
    """The base of a connection's tabs."""

    def connection(self, pk: int) -> Connection:
        """The connection, of this organization and not deleted, else 404."""
        return get_object_or_404(selectors.connections_of(self.organization), pk=pk)

    def context(self, connection: Connection, tab: str) -> dict[str, Any]:
        """What every tab shows above its content."""
        return {
            "nav": "connections",
            "active": tab,
            "connection": connection,
            **connection_head(connection),
        }


class ConnectionPage(OfConnection):
    """The Overview tab: does it work, is it fresh?"""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection = self.connection(pk)
        context = self.context(connection, "overview") | {
            "coverage": coverage_by_stream(connection),
            "many_gone": many_gone(connection),
            "comparison": comparison_of(connection),
        }
        return render(request, "ingestion/connection.html", context)


class ConnectionGone(OfConnection):
    """Say that the many repositories which are not listed any more are really gone."""

    permission = Permission.CONNECT
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        confirm_gone(connection=self.connection(pk), by=self.actor)
        return redirect("ingestion:connection", self.organization.slug, pk)


class ConnectionSyncs(OfConnection):
    """The Syncs tab."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection = self.connection(pk)
        form = SyncsOfConnectionFilter(self.organization, request.GET)
        found = syncs_of(self.organization).filter(connection=connection)
        page = page_of(request, filter_syncs(found, form.values))
        context = self.context(connection, "syncs") | {
            "filter": form,
            "page": page,
            "syncs": described(page.object_list),
        }
        return render(request, "ingestion/connection_syncs.html", context, status=form.status)


class OfRepositories(OfConnection):
    """The base of what chooses among a connection's repositories."""

    write_permission = Permission.CONNECT

    def back(self, pk: int) -> HttpResponse:
        return redirect("ingestion:connection_repositories", self.organization.slug, pk)

    def chosen(self, pk: int, done: Chosen, said: str) -> HttpResponse:
        """Say what was chosen, and offer to take it back."""
        self.request.session[CHOICE_BEFORE] = [pk, done.before, done.mark]
        undo = reverse("ingestion:connection_repositories_undo", args=[self.organization.slug, pk])
        messages.success(self.request, said, extra_tags=f"undo:{undo}")
        return self.back(pk)


class ConnectionRepositories(OfRepositories):
    """The Repositories tab: what is synced of what can be seen, and how fresh each is."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(self.connection(pk))

    def page(
        self,
        connection: Connection,
        patterns: PatternsForm | None = None,
        preview: Preview | None = None,
    ) -> HttpResponse:
        request, kept = self.request, connection.selection.get("repositories") or {}
        if patterns is None:
            patterns = PatternsForm()
            patterns.keep_patterns(kept)
        form = RepositoriesOfConnectionFilter(self.organization, request.GET)
        page = page_of(request, repositories_of_connection(connection, form.values))
        context = self.context(connection, "repositories") | {
            "filter": form,
            "page": page,
            "repositories": coverage_by_repository(connection, list(page.object_list)),
            "mode": kept.get("mode", "all"),
            "patterns": patterns,
            "preview": preview,
        }
        return render(
            request, "ingestion/connection_repositories.html", context, status=form.status
        )

    def api_call(self, **kwargs: Any) -> ApiCall | str:
        connection = self.connection(kwargs["pk"])
        action = self.request.POST[AS_API_CALL]
        if action == "all":
            return _selecting(connection, {"mode": "all"})
        ids = [int(one) for one in self.request.POST.getlist("ids") if one.isdecimal()]
        if not ids:
            return "Tick at least one repository, and the call is shown."
        body = {"ids": ids, "selected": action != "leave_out"}
        return ApiCall(method=f"connections/{connection.pk}/repositories.select", body=body)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection = self.connection(pk)
        form = RepositoryChoice(connection, request.POST)
        if not form.is_valid():
            messages.error(request, form.sentence())
            return self.back(pk)
        try:
            return self.chosen(pk, *self._choose(connection, form))
        except InvalidFields as refused:
            messages.error(request, " ".join(refused.fields.values()))
            return self.back(pk)

    def _choose(self, connection: Connection, form: RepositoryChoice) -> tuple[Chosen, str]:
        if form.cleaned_data["action"] == "all":
            done = select_all(connection=connection, by=self.actor)
            return done, "All repositories are synced, with those to come."
        selected = form.cleaned_data["action"] == "select"
        done = select_repositories(
            connection=connection,
            ids=form.cleaned_data["ids"],
            selected=selected,
            by=self.actor,
        )
        verb = "synced" if selected else "left out"
        return done, f"{_several(done.count)} {verb} from the next sync on."


class ConnectionRepositoriesByName(ConnectionRepositories):
    """Choose by patterns: first look at what fits, then take it."""

    http_method_names = ["post"]

    def api_call(self, **kwargs: Any) -> ApiCall | str:
        form = PatternsForm(self.request.POST)
        if not form.is_valid():
            return "Mend the patterns, and the call is shown."
        return _selecting(self.connection(kwargs["pk"]), form.chosen_patterns())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection, form = self.connection(pk), PatternsForm(request.POST)
        if not form.is_valid():
            return self.page(connection, form)
        choice = form.chosen_patterns()
        if request.POST.get("action") == "patterns":
            done = select_by_patterns(connection=connection, repositories=choice, by=self.actor)
            said = f"{_several(done.count)} synced by name, with those to come."
            return self.chosen(pk, done, said)
        rows = Repository.objects.for_organization(self.organization)
        mine = rows.filter(connection=connection, removed_at=None)
        preview = preview_of(mine.only("uuid", "name", "slug", "full_name"), choice)
        if request.headers.get("HX-Request"):
            return render(request, "ingestion/_pattern_preview.html", {"preview": preview})
        return self.page(connection, form, preview)


class ConnectionRepositoriesUndo(OfRepositories):
    """Take the last choice back, in the browser that made it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection = self.connection(pk)
        of, before, mark = request.session.pop(CHOICE_BEFORE, (None, {}, ""))
        if of != connection.pk:
            messages.error(request, "There is no choice left to take back.")
            return self.back(pk)
        try:
            restore_choice(connection=connection, repositories=before, mark=mark, by=self.actor)
        except ChoiceChanged as changed:
            messages.error(request, changed.message)
        else:
            messages.success(request, "The same repositories are synced as before.")
        return self.back(pk)


def _selecting(connection: Connection, repositories: dict[str, Any]) -> ApiCall:
    """The call that changes which repositories are synced, and leaves the rest of the choice."""
    selection = {**connection.selection, "repositories": repositories}
    return ApiCall(method="connections.update", body={"id": connection.pk, "selection": selection})


def _several(count: int) -> str:
    return "1 repository is" if count == 1 else f"{count:,} repositories are"
