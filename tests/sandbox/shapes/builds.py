"""Pipelines, steps, environments and deployments, in the recorded shapes."""

from __future__ import annotations

from tests.sandbox.builds import Deployment, Environment, Pipeline, Step
from tests.sandbox.shapes.accounts import person
from tests.sandbox.shapes.places import Json, Places, zulu
from tests.sandbox.shapes.repositories import commit_links, repository_inside
from tests.sandbox.world import Repository

INTERNAL = "http://bitbucket-pipelines.prod.public.atl-paas.net//rest/1.0/accounts"
"""The links of a pipeline name an internal host over plain http: nobody may follow them."""


def pipeline(places: Places, repo: Repository, run: Pipeline) -> Json:
    """A run; `completed_on` is absent until there is one."""
    internal = f"{INTERNAL}/{repo.workspace.uuid}/repositories/{repo.uuid}/pipelines/{run.uuid}"
    body: Json = {
        "type": "pipeline",
        "uuid": run.uuid,
        "build_number": run.build_number,
        "run_number": run.run_number,
        "repository": repository_inside(places, repo),
        "creator": person(places, run.creator),
        "state": _state("pipeline", run.state, run.result, run.stage),
        "target": _target(places, repo, run),
        "trigger": {"type": f"pipeline_trigger_{run.trigger.lower()}", "name": run.trigger},
        "created_on": zulu(run.created_on, run.digits),
        "duration_in_seconds": run.build_seconds,
        "build_seconds_used": run.build_seconds,
        "first_successful": False,
        "expired": False,
        "has_variables": False,
        "links": {"self": {"href": internal}, "steps": {"href": f"{internal}/steps"}},
    }
    if run.completed_on:
        body["completed_on"] = zulu(run.completed_on, run.digits)
    return body


def _state(kind: str, name: str, result: str | None, stage: str | None) -> Json:
    label = f"{kind}_state_{name.lower()}"
    body: Json = {"type": label, "name": name}
    if result:
        body["result"] = {"type": f"{label}_{result.lower()}", "name": result}
    if stage:
        body["stage"] = {"type": f"{label}_{stage.lower()}", "name": stage}
    return body


def _target(places: Places, repo: Repository, run: Pipeline) -> Json:
    commit = {
        "type": "commit",
        "hash": run.commit_hash,
        "links": commit_links(places, repo, run.commit_hash),
    }
    body: Json = {"type": run.target_type, "selector": {"type": "default"}, "commit": commit}
    if run.target_type == "pipeline_ref_target":
        body |= {"ref_type": "branch", "ref_name": run.ref_name}
    if run.target_type == "pipeline_pullrequest_target":
        body |= {"source": f"feature/{run.build_number}", "destination": run.ref_name}
        body |= {"pullrequest": {"id": run.build_number, "type": "pullrequest"}}
    return body


def step(places: Places, run: Pipeline, one: Step) -> Json:
    """A step of a run."""
    body: Json = {
        "type": "pipeline_step",
        "uuid": one.uuid,
        "name": one.name,
        "run_number": one.run_number,
        "maxTime": one.max_minutes,
        "pipeline": {"type": "pipeline", "uuid": run.uuid},
        "image": {"name": "atlassian/default-image:4"},
        "state": _state("pipeline_step", one.state, one.result, None),
        "trigger": {"type": "pipeline_step_trigger_automatic"},
        "setup_commands": [],
        "script_commands": [{"commandType": "user", "command": "make", "name": "make"}],
        "build_seconds_used": _seconds(one),
        "duration_in_seconds": _seconds(one),
    }
    if one.started_on:
        body["started_on"] = zulu(one.started_on, 3)
    if one.completed_on:
        body["completed_on"] = zulu(one.completed_on, 3)
    return body


def _seconds(one: Step) -> int:
    if one.started_on is None or one.completed_on is None:
        return 0
    return int((one.completed_on - one.started_on).total_seconds())


def environment(places: Places, one: Environment) -> Json:
    """An environment, with the fields that only recordings show."""
    return {
        "type": "deployment_environment",
        "uuid": one.uuid,
        "name": one.name,
        "slug": one.slug,
        "rank": one.rank,
        "hidden": False,
        "environment_type": {
            "type": "deployment_environment_type",
            "name": one.kind,
            "rank": one.rank,
        },
        "category": {"name": one.kind},
        "lock": {"type": "deployment_environment_lock_open", "name": "OPEN"},
        "environment_lock_enabled": True,
        "deployment_gate_enabled": False,
        "restrictions": {"type": "deployment_restrictions_configuration", "admin_only": False},
    }


def deployment(places: Places, repo: Repository, one: Deployment) -> Json:
    """A deployment as recorded: started_on and completed_on, a bare environment."""
    commit = {
        "type": "commit",
        "hash": one.pipeline.commit_hash,
        "links": commit_links(places, repo, one.pipeline.commit_hash),
    }
    return {
        "type": "deployment",
        "uuid": one.uuid,
        "number": one.number,
        "version": 2,
        "key": one.uuid.strip("{}")[:8],
        "environment": {"type": "deployment_environment", "uuid": one.environment.uuid},
        "step": {"type": "pipeline_step", "uuid": one.step.uuid},
        "commit": commit,
        "deployable": _release(one, commit),
        "release": _release(one, commit),
        "state": _deployment_state(one),
        "last_update_time": zulu(one.completed_on, 5),
    }


def _release(one: Deployment, commit: Json) -> Json:
    return {
        "type": "deployment_release",
        "name": f"#{one.pipeline.build_number}",
        "url": f"https://bitbucket.org/pipelines/results/{one.pipeline.build_number}",
        "key": one.uuid.strip("{}")[:8],
        "pipeline": {"type": "pipeline", "uuid": one.pipeline.uuid},
        "commit": commit,
        "created_on": zulu(one.started_on, 3),
    }


def _deployment_state(one: Deployment) -> Json:
    label = f"deployment_state_completed_{one.status.lower()}"
    return {
        "type": "deployment_state_completed",
        "name": "COMPLETED",
        "status": {"type": label, "name": one.status},
        "started_on": zulu(one.started_on, 5),
        "completed_on": zulu(one.completed_on, 5),
    }
