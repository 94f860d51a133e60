"""What was copied: a list for each kind of record."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from ingestion.forms.filters import FILTERS
from ingestion.models import Commit, Deployment, Person, PipelineRun, PullRequest, Repository
from ingestion.selectors.records import readable, search_records, steps_of, timeline
from ingestion.views.paging import page_of
from tenants.views.base import OrganizationView


class RecordList(OrganizationView):
    """The base of a list of records: filters in the address, search, order, pages."""

    model: ClassVar[type[Any]]
    table: ClassVar[str]

    def get(self, request: HttpRequest) -> HttpResponse:
        form = FILTERS[self.model](self.organization, request.GET)
        page = page_of(request, search_records(self.model, self.organization, form.values))
        context = {"nav": "records", "table": self.table, "filter": form, "page": page}
        template = f"ingestion/records_{self.table}.html"
        return render(request, template, context, status=form.status)


class Repositories(RecordList):
    """All repositories."""

    model = Repository
    table = "repositories"


class PullRequests(RecordList):
    """All pull requests."""

    model = PullRequest
    table = "pull_requests"


class Pipelines(RecordList):
    """All runs of pipelines."""

    model = PipelineRun
    table = "pipelines"


class Deployments(RecordList):
    """All deployments, each with the run that made it."""

    model = Deployment
    table = "deployments"


class Commits(RecordList):
    """All commits."""

    model = Commit
    table = "commits"


class People(RecordList):
    """All people."""

    model = Person
    table = "people"


class PipelinePage(OrganizationView):
    """One run of a pipeline with its steps."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = PipelineRun.objects.for_organization(self.organization).select_related(
            "repository", "connection", "creator"
        )
        run = get_object_or_404(rows.filter(readable()), pk=pk)
        context = {"nav": "records", "run": run, "steps": steps_of(run)}
        return render(request, "ingestion/pipeline.html", context)


class PullRequestPage(OrganizationView):
    """One pull request with its timeline."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = PullRequest.objects.for_organization(self.organization).select_related(
            "repository", "connection", "author", "closed_by"
        )
        pull_request = get_object_or_404(rows.filter(readable()), pk=pk)
        context = {
            "nav": "records",
            "pull_request": pull_request,
            "timeline": timeline(pull_request),
            "reviews": pull_request.reviews.select_related("person"),
        }
        return render(request, "ingestion/pull_request.html", context)
