"""Pipelines, steps, environments, deployments."""

from __future__ import annotations

from tests.sandbox.answers import Answer, Refused, error
from tests.sandbox.builds import Pipeline
from tests.sandbox.paging import last
from tests.sandbox.routes.call import Call, Endpoint, reading
from tests.sandbox.shapes import builds as shapes

STATUSES = {"PASSED": "SUCCESSFUL", "HALTED": "HALTED", "BUILDING": "RUNNING"}
SORTS = ("created_on", "run_creation_date", "creator.uuid")
FIELDS = {
    "created_on": lambda run: run.created_on,
    "run_creation_date": lambda run: run.created_on,
    "creator.uuid": lambda run: run.creator.uuid if run.creator else None,
}


def pipelines(call: Call) -> Answer:
    """Numbered pages, oldest first; `sort` is honoured and `next` loses it; `q` is ignored."""
    repo = call.repository()
    sort = last(call.pairs, "sort") or "created_on"
    if sort.removeprefix("-") not in SORTS:
        raise Refused(error(400, "Bad request", data={"key": "pipelines.bad-request"}))
    rows = call.site.listings.select(
        ("pipelines", id(repo)), repo.pipelines.values, FIELDS, "", sort
    )
    rows = [run for run in rows if _matches(call, run)]
    return call.page(rows, call.render(shapes.pipeline, repo), forgets=("sort",))


def _matches(call: Call, run: Pipeline) -> bool:
    for name in ("target.branch", "target.ref_name"):
        if last(call.pairs, name) not in (None, run.ref_name):
            return False
    status = last(call.pairs, "status")
    return status is None or STATUSES.get(status, status) in (run.result, run.stage, run.state)


def _pipeline(call: Call) -> Pipeline:
    repo, name = call.repository(), call.names[2]
    for run in repo.pipelines.values():
        if name in (run.uuid, str(run.build_number)):
            return run
    raise Refused(error(404, "Not found", data={"key": "result-service.pipeline.not-found"}))


def pipeline(call: Call) -> Answer:
    """One run, by uuid or build number."""
    run = _pipeline(call)
    return call.one(shapes.pipeline, call.repository(), run)


def steps(call: Call) -> Answer:
    """The steps of a run."""
    run = _pipeline(call)
    return call.page(run.steps, call.render(shapes.step, run))


def environments(call: Call) -> Answer:
    """The environments of a repository."""
    return call.page(call.repository().environments, call.render(shapes.environment))


def deployments(call: Call) -> Answer:
    """The deployments in no documented order."""
    repo = call.repository()
    rows = sorted(repo.deployments, key=lambda one: one.uuid)
    return call.page(rows, call.render(shapes.deployment, repo))


def deployment(call: Call) -> Answer:
    """One deployment, by its uuid."""
    repo, name = call.repository(), call.names[2]
    for one in repo.deployments:
        if one.uuid == name:
            return call.one(shapes.deployment, repo, one)
    return error(404, "Not found", data={"key": "deployment-service.deployment.not-found"})


ROOT = "/repositories/{workspace}/{repository}"
SCOPES = reading("pipeline")
ENDPOINTS = (
    Endpoint(f"{ROOT}/pipelines", pipelines, **SCOPES),
    Endpoint(f"{ROOT}/pipelines/{{pipeline}}", pipeline, **SCOPES),
    Endpoint(f"{ROOT}/pipelines/{{pipeline}}/steps", steps, **SCOPES),
    Endpoint(f"{ROOT}/environments", environments, **SCOPES),
    Endpoint(f"{ROOT}/deployments", deployments, **SCOPES),
    Endpoint(f"{ROOT}/deployments/{{deployment}}", deployment, **SCOPES),
)
