"""Pipelines with steps, environments and deployments."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.sandbox.builds import Deployment, Environment, Pipeline, Step
from tests.sandbox.generation.draw import Draw
from tests.sandbox.generation.scale import Scale
from tests.sandbox.people import Person
from tests.sandbox.world import Repository

RESULTS = ("SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "FAILED", "STOPPED", "SUCCESSFUL", "ERROR")
TARGETS = ("pipeline_ref_target",) * 4 + ("pipeline_pullrequest_target", "pipeline_commit_target")
ENVIRONMENTS = (("Test", "Test", 0), ("Staging", "Staging", 1), ("Production", "Production", 2))


def add_builds(repository: Repository, draw: Draw, scale: Scale, until: datetime) -> None:
    """`scale.pipelines` runs, oldest first, and deployments of the newest successful ones."""
    people = [m.person for m in repository.workspace.members.values()]
    start = until - timedelta(days=scale.days)
    stride = timedelta(days=scale.days) / (scale.pipelines + 1)
    for number in range(1, scale.pipelines + 1):
        created = draw.between(start + stride * (number - 1), start + stride * number)
        pipeline = new_pipeline(repository, draw, people[number % len(people)], created, number)
        finish(pipeline, draw, RESULTS[number % len(RESULTS)], scale.steps)
        if scale.awkward:
            _make_odd(pipeline, number, scale.pipelines)
    if scale.deployments and scale.pipelines:
        _deploy(repository, draw, scale.deployments)


def new_pipeline(
    repository: Repository, draw: Draw, creator: Person | None, created: datetime, number: int
) -> Pipeline:
    """A run that waits for its turn."""
    pipeline = Pipeline(
        uuid=draw.uuid(),
        build_number=number,
        creator=creator,
        created_on=created,
        completed_on=None,
        state="PENDING",
        result=None,
        stage=None,
        target_type=TARGETS[number % len(TARGETS)],
        ref_name=repository.mainbranch or "main",
        commit_hash=repository.branches.get("main", draw.hash()),
        trigger="PUSH" if number % 3 else "MANUAL",
        digits=(6, 3, 9, 5, 0)[number % 5],
    )
    repository.pipelines[pipeline.uuid] = pipeline
    return pipeline


def finish(pipeline: Pipeline, draw: Draw, result: str, steps: int) -> None:
    """Complete a run, with its steps one after the other."""
    at = pipeline.created_on + timedelta(seconds=5)
    pipeline.steps = []
    for number in range(steps):
        end = at + timedelta(seconds=20 + draw.random.randrange(300))
        outcome = result if number == steps - 1 else "SUCCESSFUL"
        name = ("Build", "Test", "Package", "Deploy")[number % 4]
        step = Step(draw.uuid(), name, pipeline.run_number, at, end, "COMPLETED", outcome)
        pipeline.steps.append(step)
        at = end
    pipeline.completed_on = at
    pipeline.state, pipeline.result, pipeline.stage = "COMPLETED", result, None
    pipeline.build_seconds = int((at - pipeline.created_on).total_seconds())


def _make_odd(pipeline: Pipeline, number: int, count: int) -> None:
    if number % 25 == 3 or number == count:
        pipeline.state, pipeline.result, pipeline.completed_on = "IN_PROGRESS", None, None
        pipeline.stage = "RUNNING" if number == count else "HALTED"
        for step in pipeline.steps[-1:]:
            step.state, step.result, step.completed_on = "PENDING", None, None
    if number % 25 == 2:
        pipeline.run_number = 2
        for step in pipeline.steps:
            step.run_number = 2
    if number % 25 == 4:
        pipeline.creator = None


def _deploy(repository: Repository, draw: Draw, count: int) -> None:
    for name, kind, rank in ENVIRONMENTS:
        environment = Environment(draw.uuid(), name, name.lower(), kind, rank)
        repository.environments.append(environment)
    good = [p for p in repository.pipelines.values() if p.result == "SUCCESSFUL" and p.steps]
    for number, pipeline in enumerate(good[-count:], start=1):
        _add_deployment(repository, draw, pipeline, number)


def _add_deployment(repository: Repository, draw: Draw, pipeline: Pipeline, number: int) -> None:
    step = pipeline.steps[-1]
    if step.started_on is None or step.completed_on is None:
        return
    repository.deployments.append(
        Deployment(
            uuid=draw.uuid(),
            environment=repository.environments[number % len(repository.environments)],
            pipeline=pipeline,
            step=step,
            status="FAILED" if number % 4 == 3 else "SUCCESSFUL",
            started_on=step.started_on,
            completed_on=step.completed_on,
            number=number,
        )
    )
